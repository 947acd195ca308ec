/**
 * What the fixture does on a request, for both TypeScript SDKs: they differ in how a handler is registered and how it
 * talks to its client, and that is all that `server-v1.ts` and `server-v2.ts` hold.
 */
import { FIXTURE } from "./fixture.ts";
import type { Kind } from "./fixture.ts";

/** How a running call of a tool reaches the client that made it. */
export type Caller = {
  readonly signal: AbortSignal;
  readonly report: (progress: number) => Promise<void>;
  readonly log: (level: "info" | "warning", data: string) => Promise<void>;
  readonly announce: (what: string) => Promise<void>;
  /** Closes the stream of events that the answer would have come on, where it can be taken up again. */
  readonly hangUp?: () => void;
};

/** What a handler throws to answer with a JSON-RPC error. */
export type MakeError = (code: number, message: string, data?: unknown) => Error;

type Listing = { readonly entries: unknown[]; readonly nextCursor?: string };

const CURSOR = /^after:(\d+)$/;
export const WATCHED = "note:///watched";
const INVALID_PARAMS = -32_602;

/** What has become of each call of `wait`, by the key that it was made with. */
const fates = new Map<string, "running" | "given up">();

export class FixtureServer {
  readonly #makeError: MakeError;

  constructor(makeError: MakeError) {
    this.#makeError = makeError;
  }

  list(kind: Kind, cursor: string | undefined): Listing {
    const start = cursor === undefined ? 0 : Number(CURSOR.exec(cursor)?.[1]);
    if (Number.isNaN(start)) throw this.#makeError(INVALID_PARAMS, "Invalid cursor");
    const end = start + FIXTURE.pageSizes[kind];
    const entries = FIXTURE[kind].slice(start, end);
    return end < FIXTURE[kind].length ? { entries, nextCursor: `after:${end}` } : { entries };
  }

  async callTool(name: string, args: Readonly<Record<string, unknown>>, caller: Caller): Promise<unknown> {
    switch (name) {
      case "refuses":
        throw this.#makeError(FIXTURE.refusal.code, FIXTURE.refusal.message, FIXTURE.refusal.data);
      case "echo":
        return { content: [{ type: "text", text: args["text"] }] };
      case "progress":
        for (const progress of [1, 2, 3]) await caller.report(progress);
        break;
      case "log":
        await caller.log("info", "The first line.");
        await caller.log("warning", "Die zweite Zeile — ünïcödé.");
        break;
      case "touch":
        await caller.announce(String(args["what"]));
        break;
      case "interrupted":
        if (caller.hangUp === undefined) return { content: [{ type: "text", text: "This stream cannot be resumed." }] };
        await caller.report(1);
        caller.hangUp();
        await caller.report(2);
        break;
      case "wait":
        return this.#wait(String(args["key"]), caller);
      case "fate":
        return { content: [{ type: "text", text: fates.get(String(args["key"])) ?? "unknown" }] };
    }
    return this.#answer(name);
  }

  /** Says by its progress that it has begun, and ends when nobody wants its answer any more. */
  async #wait(key: string, { signal, report }: Caller): Promise<never> {
    fates.set(key, "running");
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve());
    await report(1);
    if (!signal.aborted) await promise;
    fates.set(key, "given up");
    throw new Error("nobody waits for this answer");
  }

  #answer(name: string): unknown {
    const answer = FIXTURE.answers[name];
    if (answer === undefined) throw this.#makeError(INVALID_PARAMS, `Unknown tool: ${name}`);
    return answer;
  }

  getPrompt(name: string, args: Readonly<Record<string, string>>): unknown {
    switch (name) {
      case "greeting":
        return {
          description: "A greeting.",
          messages: [
            { role: "user", content: { type: "text", text: `Greet ${args["name"]}, ${args["style"] ?? "plainly"}.` } },
          ],
        };
      case "farewell":
        return {
          messages: [
            { role: "user", content: { type: "resource", resource: this.#contents("note:///text") } },
            { role: "assistant", content: { type: "text", text: "Farewell." } },
          ],
        };
      default:
        throw this.#makeError(INVALID_PARAMS, `Unknown prompt: ${name}`);
    }
  }

  /** `notFound` is the code of the revision for a resource that there is not. */
  readResource(uri: string, notFound: number): unknown {
    if (FIXTURE.contents[uri] === undefined) throw this.#makeError(notFound, "Resource not found", { uri });
    return { contents: [this.#contents(uri)] };
  }

  #contents(uri: string): unknown {
    return { uri, ...FIXTURE.contents[uri] };
  }

  complete(argument: string, value: string): unknown {
    const values = (FIXTURE.completions[argument] ?? []).filter((candidate) => candidate.startsWith(value));
    return { completion: { values, total: values.length, hasMore: false } };
  }
}
