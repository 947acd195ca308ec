/** What the answer to a permitted request is held against: who waits for it, and the eyes of the caller it goes to. */
import type { Limits } from "../limits.ts";
import type { Asked } from "../mcp/asked.ts";
import type { Call } from "../mcp/call.ts";
import type { RequestHeaders } from "../mcp/headers.ts";
import type { Identity } from "../identity/identity.ts";
import { isVisible, seesAll } from "../policy/decide.ts";
import type { Endpoint } from "../policy/policy-set.ts";

type Asking = {
  readonly endpoint: Endpoint;
  readonly identity: Identity;
  readonly headers: RequestHeaders;
  readonly limits: Limits;
  readonly sha256: Sha256;
};

/** In lower-case hexadecimal. The core has no cryptography of its own. */
export type Sha256 = (bytes: Uint8Array) => string;

/** `calls`: those that go on. `refused`: our answers to the other messages of a batch, or undefined when it was none. */
export function askedBy(asking: Asking, calls: readonly Call[], refused?: readonly Uint8Array[]): Asked {
  const { endpoint, identity, headers, limits, sha256 } = asking;
  const { server, transport, messagesPath: path } = endpoint;
  const [first] = calls;
  const isStream = first?.method === "GET";
  return {
    // Over HTTP with SSE the answer to a message comes on the stream.
    pending: isStream ? undefined : transport === "sse-messages" ? [] : calls.filter(({ id }) => id !== undefined),
    era: first?.era ?? "legacy",
    isVisible: (subject) => isVisible(server, identity, subject),
    seesAll: once(() => seesAll(server, identity)),
    limits,
    isPinned: (tool, definition) => {
      const pin = server.pins.get(tool);
      return pin === undefined || pin === sha256(definition());
    },
    session: { id: headers["mcp-session-id"], mayBegin: first?.method === "initialize" },
    takesBatches: refused !== undefined || (isStream && server.batches === "judge"),
    refused: refused ?? [],
    messages: path === undefined ? undefined : { path, host: headers[":authority"] },
  };
}

/** It is asked for each part that cannot be judged, of which an answer may have many. */
function once(ask: () => boolean): () => boolean {
  let known: boolean | undefined;
  return () => (known ??= ask());
}
