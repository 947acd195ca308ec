import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concat } from "../../src/core/bytes.ts";
import type { ExchangeEvent } from "../../src/core/exchange/event.ts";
import { isFinal, recordsOf } from "../../src/core/exchange/exchange.ts";
import type { Exchange } from "../../src/core/exchange/exchange.ts";
import type { Piece } from "../../src/core/exchange/full-duplex.ts";
import type { Reply } from "../../src/core/exchange/reply.ts";
import { cuts } from "../fixtures/arbitraries.ts";
import { cutAt, textOf, utf8 } from "../fixtures/bytes.ts";
import { optionsWith, play, playDuplex, requestBody, requestHeaders, responseHeaders } from "../fixtures/exchanges.ts";
import { batch, notification, request, result, rpcError, toolsCall } from "../fixtures/messages.ts";
import { allow, compiled, FROM_READER, policyDocument, serverDocument } from "../fixtures/policies.ts";

/** A server whose answers are read, at one path, and one whose answers pass, at another. */
const OPTIONS = optionsWith(
  compiled([
    serverDocument("read", [{ path: "/mcp" }], { batches: "judge" }),
    serverDocument("pass", [{ path: "/pass" }], { batches: "judge", answers: "pass" }),
    policyDocument("p", [allow("a", FROM_READER, { tools: ["a", "b*"] })], { targets: ["read", "pass"] }),
  ]).policies,
  "pass",
);

const LIST = result({ tools: [{ name: "a" }, { name: "x" }], text: "é\u2028" });
const bodies = fc.constantFrom(
  request("tools/list"),
  ` ${toolsCall("a", { text: "é" })}\n`,
  toolsCall("x"),
  notification("notifications/initialized"),
  batch(toolsCall("a"), request("tools/call", { name: "x" }, 2)),
  batch(notification("notifications/initialized"), request("tools/call", { name: "x" }, 2)),
  "{",
  "",
);
const answers = fc.constantFrom<readonly [type: string | null, text: string, status: number]>(
  ["application/json", LIST, 200],
  ["application/json", `${batch(LIST, rpcError(-1, 2))} x`, 200],
  ["application/json", "[}", 200],
  ["application/json", '{"error":"invalid_token"}', 401],
  ["text/event-stream", `id: 7\ndata: ${LIST}\n\ndata: ${request("roots/list", {}, 9)}\n\n`, 200],
  ["text/event-stream", `data: [}\r\n\r\ndata: ${LIST}`, 200],
  ["text/html", "<p>no</p>", 502],
  ["text/plain", "Accepted", 202],
  [null, "", 204],
);
const paths = fc.constantFrom("/mcp", "/mcp", "/pass", "/elsewhere");

type Direction = "request" | "response";
const inPieces = (direction: Direction, chunks: readonly Uint8Array[], hasTrailers: boolean): ExchangeEvent[] => [
  ...chunks.map((body, i): ExchangeEvent => ({
    kind: `${direction}Body`,
    body,
    endOfStream: !hasTrailers && i === chunks.length - 1,
  })),
  ...(hasTrailers ? [{ kind: `${direction}Trailers` } as const] : []),
];

/** What an exchange came to, but for how it was cut: what went on to either side, and what is on record. */
type Came = {
  readonly toServer: string;
  readonly toClient: string;
  readonly local: unknown;
  readonly records: unknown;
};

function cameTo(
  exchange: Exchange,
  toServer: readonly Uint8Array[],
  toClient: readonly Uint8Array[],
  replies: readonly (Reply | Piece)[],
): Came {
  const local = replies.find((one) => one.kind === "immediateResponse");
  return {
    toServer: textOf(concat(toServer)),
    toClient: textOf(concat(toClient)),
    local: local && { ...local, reply: { ...local.reply, body: textOf(local.reply.body) } },
    records: recordsOf(exchange),
  };
}

/** Without full duplex: the request in one piece, as Envoy buffers it, and the answer as it comes. */
function plain(events: readonly ExchangeEvent[]): Came {
  const { exchange, replies } = play(OPTIONS, events);
  const went = (kind: "requestBody" | "responseBody"): Uint8Array[] =>
    events.flatMap((event, i) => {
      const reply = replies[i];
      if (event.kind !== kind || reply === undefined) return [];
      return reply.kind === kind ? [reply.body ?? event.body] : [];
    });
  return cameTo(exchange, went("requestBody"), went("responseBody"), replies);
}

/** In full duplex, up to where the stream may end; and what has to hold on the way. */
function duplex(events: readonly ExchangeEvent[]): Came {
  const { exchange, replies, isFinal: final } = playDuplex(OPTIONS, events);
  const went = (kind: Piece["kind"]): Uint8Array[] =>
    replies.flat().flatMap((one) => (one.kind === kind ? [one.body] : []));
  for (const kind of ["requestPiece", "responsePiece"] as const) {
    const ends = replies.flat().flatMap((one) => (one.kind === kind ? [one.endOfStream] : []));
    expect(ends.slice(0, -1).includes(true)).toBe(false);
  }
  expect(final.slice(0, -1).includes(true)).toBe(false);
  expect(isFinal(exchange)).toBe(final.at(-1));
  return cameTo(exchange, went("requestPiece"), went("responsePiece"), replies.flat());
}

test("an exchange in full duplex comes to the same as without, however both bodies are cut", () => {
  const seen = { refused: 0, over: 0, read: 0, unmatched: 0 };
  fc.assert(
    fc.property(
      fc.record({
        path: paths,
        body: bodies,
        answer: answers,
        at: cuts,
        back: cuts,
        trailers: fc.tuple(fc.boolean(), fc.boolean()),
      }),
      ({ path, body, answer: [type, text, status], at, back, trailers: [requestTrailers, answerTrailers] }) => {
        const headers = requestHeaders([
          [":method", "POST"],
          [":path", path],
          ["content-type", "application/json"],
        ]);
        const isOurs = path !== "/elsewhere";
        const whole = isOurs ? [headers, requestBody(body)] : [headers];
        const cut = [headers, ...inPieces("request", cutAt(utf8(body), at), requestTrailers)];
        const { request: decided } = play(OPTIONS, whole).exchange;
        if (decided.at === "refused" || (decided.at === "permitted" && !decided.readsAnswer)) {
          seen[decided.at === "refused" ? "refused" : "over"]++;
          expect(duplex(cut)).toEqual(plain(whole));
          return;
        }
        const response = [
          responseHeaders(type, { status }),
          ...inPieces("response", cutAt(utf8(text), back), answerTrailers),
        ];
        const refusesAnswer =
          play(OPTIONS, [...whole, ...response.slice(0, 1)]).replies.at(-1)?.kind === "immediateResponse";
        const came = refusesAnswer ? response.slice(0, 1) : response;
        seen[isOurs ? "read" : "unmatched"]++;
        const expected = plain([...whole, ...came]);
        // A request that is not ours is passed on as it came, which without full duplex nobody shows us.
        const toServer = isOurs ? expected.toServer : body;
        if (isOurs) expect(duplex([...cut, ...came])).toEqual({ ...expected, toServer });
        else expect(playedTo([...cut, ...came])).toEqual({ toServer, toClient: text });
      },
    ),
    { numRuns: 1500 },
  );
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(50);
});

/** What went on to either side of a request that is not ours. */
function playedTo(events: readonly ExchangeEvent[]): { readonly toServer: string; readonly toClient: string } {
  const { replies, isFinal: final } = playDuplex(OPTIONS, events);
  expect(final.at(-1)).toBe(true);
  const went = (kind: Piece["kind"]): string =>
    textOf(concat(replies.flat().flatMap((one) => (one.kind === kind ? [one.body] : []))));
  return { toServer: went("requestPiece"), toClient: went("responsePiece") };
}
