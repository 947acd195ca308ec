import { describe, expect, test } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import { beginExchange, recordsOf } from "../../../src/core/exchange/exchange.ts";
import { FullDuplex } from "../../../src/core/exchange/full-duplex.ts";
import type { Piece } from "../../../src/core/exchange/full-duplex.ts";
import type { Reply } from "../../../src/core/exchange/reply.ts";
import { ProtocolViolation } from "../../../src/core/exchange/violation.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { everyCut, piecesOf, textOf, utf8 } from "../../fixtures/bytes.ts";
import {
  MAX_BODY_BYTES,
  optionsWith,
  play,
  playDuplex,
  POST,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import { notification, request, result, toolsCall } from "../../fixtures/messages.ts";
import {
  allow,
  compiled,
  FROM_READER,
  policyDocument,
  policySetWith,
  serverDocument,
} from "../../fixtures/policies.ts";

const POLICIES = policySetWith(policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo"] })]));
const OPTIONS = optionsWith(POLICIES);
const PIECE = 65_536;

/** A request's body in these pieces; the last one ends it unless trailers do. */
const requestPieces = (
  chunks: readonly Uint8Array[],
  end: "endOfStream" | "trailers" = "endOfStream",
): ExchangeEvent[] => [
  ...chunks.map((body, i) => ({
    kind: "requestBody" as const,
    body,
    endOfStream: end === "endOfStream" && i === chunks.length - 1,
  })),
  ...(end === "trailers" ? [{ kind: "requestTrailers" as const }] : []),
];
const whole = (text: string): ExchangeEvent[] => requestPieces([utf8(text)]);

const kinds = (replies: readonly (Reply | Piece)[] | undefined): string[] => (replies ?? []).map(({ kind }) => kind);
const isPiece = (reply: Reply | Piece): reply is Piece =>
  reply.kind === "requestPiece" || reply.kind === "responsePiece";
/** Each piece as its length, with a stop behind the one that ends the body. */
const shape = (replies: readonly (Reply | Piece)[] | undefined): string =>
  (replies ?? []).flatMap((one) => (isPiece(one) ? [`${one.body.length}${one.endOfStream ? "." : ""}`] : [])).join(" ");
const textIn = (replies: readonly (readonly (Reply | Piece)[])[], kind: Piece["kind"]): string =>
  textOf(concat(replies.flat().flatMap((one) => (one.kind === kind ? [one.body] : []))));

describe("a request in full duplex", () => {
  test("has no answer before it is whole, and all of them then: headers first, then the body", () => {
    const bytes = utf8(toolsCall("echo"));
    const { exchange, replies, isFinal } = playDuplex(OPTIONS, [
      requestHeaders(),
      ...requestPieces(piecesOf(bytes, 10)),
    ]);
    expect(replies.slice(0, -1).flat()).toEqual([]);
    expect(kinds(replies.at(-1))).toEqual(["requestHeaders", "requestPiece"]);
    expect(textIn(replies, "requestPiece")).toBe(toolsCall("echo"));
    expect(exchange.request.at).toBe("permitted");
    expect(isFinal.includes(true)).toBe(false);
  });

  test("is decided on as in one piece, at every cut, whether trailers follow or not", () => {
    const spaced = ` ${toolsCall("echo")}\n`;
    for (const end of ["endOfStream", "trailers"] as const) {
      for (const [cut, chunks] of everyCut(utf8(spaced))) {
        const { exchange, replies } = playDuplex(OPTIONS, [requestHeaders(), ...requestPieces(chunks, end)]);
        expect(textIn(replies, "requestPiece"), `cut at byte ${cut}, ${end}`).toBe(toolsCall("echo"));
        expect(exchange.request.at).toBe("permitted");
        expect(kinds(replies.at(-1))).toEqual(
          end === "trailers"
            ? ["requestHeaders", "requestPiece", "requestTrailers"]
            : ["requestHeaders", "requestPiece"],
        );
        expect(shape(replies.at(-1))).toBe(`${toolsCall("echo").length}${end === "trailers" ? "" : "."}`);
      }
    }
  });

  test("takes its permit, header changes and metadata to the headers, without a length that Envoy has taken away", () => {
    const headers: HeaderList = [
      ...POST.slice(0, 3),
      ["content-type", "application/json; charset=utf-8"],
      ["range", "x"],
    ];
    const events = [requestHeaders(headers), ...whole(` ${toolsCall("echo")}`)];
    const [first] = playDuplex(OPTIONS, events).replies.at(-1) ?? [];
    const plain = play(OPTIONS, [requestHeaders(headers), ...whole(` ${toolsCall("echo")}`)]).replies[1];
    if (plain?.kind !== "requestBody") throw new Error("not let through");
    expect(plain.changes.set).toContainEqual(["content-length", String(toolsCall("echo").length)]);
    expect(first).toEqual({
      kind: "requestHeaders",
      permit: plain.permit,
      metadata: plain.metadata,
      changes: { remove: ["range"], set: [["content-type", "application/json"]] },
    });
  });

  test("that is refused has that one answer, as soon as it is whole", () => {
    for (const end of ["endOfStream", "trailers"] as const) {
      const events = [requestHeaders(), ...requestPieces(piecesOf(utf8(toolsCall("other")), 7), end)];
      const { replies, isFinal } = playDuplex(OPTIONS, events);
      expect(replies.flatMap(kinds)).toEqual(["immediateResponse"]);
      expect(isFinal).toEqual([...Array<boolean>(events.length - 1).fill(false), true]);
    }
  });

  test("that is refused by its headers is answered at once, and nothing after it is taken", () => {
    const headers = requestHeaders([...POST.slice(0, 3), ["content-type", "text/plain"]]);
    const { replies, isFinal } = playDuplex(OPTIONS, [headers]);
    expect([replies.flatMap(kinds), isFinal]).toEqual([["immediateResponse"], [true]]);
    expect(() => playDuplex(OPTIONS, [headers, ...whole("{}")])).toThrow(ProtocolViolation);
  });

  test("is refused mid-way, as soon as it is larger than the limit, and never held beyond that", () => {
    const call = toolsCall("echo");
    const filled = utf8(call + " ".repeat(MAX_BODY_BYTES - call.length));
    const exactly = playDuplex(OPTIONS, [requestHeaders(), ...requestPieces(piecesOf(filled, 1_000))]);
    expect(exactly.exchange.request.at).toBe("permitted");
    const held = requestPieces([...piecesOf(filled, 1_000), utf8(" "), utf8(" ")]);
    const more = playDuplex(OPTIONS, [requestHeaders(), ...held.slice(0, -1)]);
    expect(more.replies.flatMap(kinds)).toEqual(["immediateResponse"]);
    expect(more.replies.at(-1)).toMatchObject([{ details: "toolgate_too-large", reply: { status: 413 } }]);
    expect(() => playDuplex(OPTIONS, [requestHeaders(), ...held])).toThrow(ProtocolViolation);
  });

  test("goes on in pieces of 64 KiB, the last of which is the end", () => {
    const options = { ...OPTIONS, limits: { ...OPTIONS.limits, maxBodyBytes: 10 * PIECE } };
    const sized = (bytes: number): string =>
      toolsCall("echo", { x: "y".repeat(bytes - toolsCall("echo", { x: "" }).length) });
    for (const [bytes, expected, open] of [
      [PIECE - 1, "65535.", "65535"],
      [PIECE, "65536.", "65536"],
      [PIECE + 1, "65536 1.", "65536 1"],
      [2 * PIECE, "65536 65536.", "65536 65536"],
      [3 * PIECE - 1, "65536 65536 65535.", "65536 65536 65535"],
    ] as const) {
      const send = (end: "endOfStream" | "trailers") =>
        playDuplex(options, [requestHeaders(), ...requestPieces(piecesOf(utf8(sized(bytes)), 50_000), end)]).replies;
      expect(shape(send("endOfStream").at(-1)), String(bytes)).toBe(expected);
      expect(shape(send("trailers").at(-1)), String(bytes)).toBe(open);
      expect(textIn(send("endOfStream"), "requestPiece")).toBe(sized(bytes));
    }
  });

  test("without a body is answered by its headers, and has trailers answered in kind", () => {
    const get = requestHeaders(
      [
        [":method", "GET"],
        [":path", "/mcp"],
      ],
      { endOfStream: true },
    );
    const { replies, isFinal } = playDuplex(OPTIONS, [get, { kind: "requestTrailers" }]);
    expect([replies.map(kinds), isFinal]).toEqual([
      [["requestHeaders"], ["requestTrailers"]],
      [false, false],
    ]);
  });

  test("whose body is empty, or only trailers, is refused like one in one piece", () => {
    for (const events of [
      requestPieces([utf8("")]),
      requestPieces([], "trailers"),
      requestPieces([utf8("")], "trailers"),
    ]) {
      const { replies } = playDuplex(OPTIONS, [requestHeaders(), ...events]);
      expect(replies.flat()).toMatchObject([{ kind: "immediateResponse", details: "toolgate_malformed-json" }]);
    }
  });

  test("whose answer is not read is over when its last piece has been sent, or its trailers", () => {
    const passing = compiled([
      serverDocument("everything", undefined, { answers: "pass" }),
      policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo"] })]),
    ]).policies;
    for (const body of [notification("notifications/initialized"), toolsCall("echo")]) {
      for (const end of ["endOfStream", "trailers"] as const) {
        const events = [requestHeaders(), ...requestPieces(piecesOf(utf8(body), 9), end)];
        const { isFinal, exchange } = playDuplex(optionsWith(passing), events);
        expect(isFinal.indexOf(true)).toBe(isFinal.length - 1);
        expect(recordsOf(exchange)).toMatchObject([{ outcome: { kind: "unread" } }]);
      }
    }
  });

  test("breaks off on a body before its headers, twice, or after its end", () => {
    expect(() => playDuplex(OPTIONS, whole("{}"))).toThrow(ProtocolViolation);
    expect(() => playDuplex(OPTIONS, [requestHeaders(), requestHeaders()])).toThrow(ProtocolViolation);
    expect(() => playDuplex(OPTIONS, [requestHeaders(), ...whole(toolsCall("echo")), ...whole("{}")])).toThrow(
      ProtocolViolation,
    );
  });

  test("that becomes a ping over HTTP with SSE goes on like any other, though it is on record as denied", () => {
    const policies = compiled([
      serverDocument("everything", [{ path: "/sse", messages: "/messages" }]),
      policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo"] })]),
    ]).policies;
    const post = requestHeaders([[":method", "POST"], [":path", "/messages?sessionId=s"], POST[3]!]);
    for (const end of ["endOfStream", "trailers"] as const) {
      const events = [post, ...requestPieces(piecesOf(utf8(toolsCall("other")), 9), end)];
      const { replies, isFinal, exchange } = playDuplex(optionsWith(policies), events);
      expect(kinds(replies.at(-1)).slice(0, 2)).toEqual(["requestHeaders", "requestPiece"]);
      expect(kinds(replies.at(-1)).includes("requestTrailers")).toBe(end === "trailers");
      expect(textIn(replies, "requestPiece")).toContain('"method":"ping"');
      expect([isFinal.indexOf(true), exchange.request.at]).toEqual([events.length - 1, "refused"]);
    }
  });
});

describe("a request to no server of ours in full duplex", () => {
  const pass = optionsWith(POLICIES, "pass");
  const elsewhere = (endOfStream = false) =>
    requestHeaders(
      [
        [":method", "POST"],
        [":path", "/other"],
      ],
      { endOfStream },
    );

  test("is passed on piece by piece as it comes, and is not over before its end", () => {
    const chunks = [utf8("a"), utf8(""), new Uint8Array(PIECE + 1), utf8("z")];
    const { replies, isFinal } = playDuplex(pass, [elsewhere(), ...requestPieces(chunks)]);
    expect(replies.map(kinds)).toEqual([["requestHeaders"], ...chunks.map(() => ["requestPiece"])]);
    expect(replies.map(shape)).toEqual(["", "1", "0", "65537", "1."]);
    expect(isFinal).toEqual([false, false, false, false, true]);
  });

  test("ends with its trailers, or with its headers when it has no body", () => {
    const { replies, isFinal } = playDuplex(pass, [elsewhere(), ...requestPieces([utf8("a")], "trailers")]);
    expect(replies.map(kinds)).toEqual([["requestHeaders"], ["requestPiece"], ["requestTrailers"]]);
    expect([replies.map(shape), isFinal]).toEqual([
      ["", "1", ""],
      [false, false, true],
    ]);
    expect(playDuplex(pass, [elsewhere(true)]).isFinal).toEqual([true]);
  });

  test("may be answered before its end: both directions are passed on to their ends", () => {
    const [one, two] = requestPieces([utf8("a"), utf8("b")]) as [ExchangeEvent, ExchangeEvent];
    const [three, four] = responseBody([utf8("c"), utf8("d")]) as [ExchangeEvent, ExchangeEvent];
    const { replies, isFinal } = playDuplex(pass, [elsewhere(), one, responseHeaders("text/html"), three, two, four]);
    expect(replies.map(kinds)).toEqual([
      ["requestHeaders"],
      ["requestPiece"],
      ["responseHeaders"],
      ["responsePiece"],
      ["requestPiece"],
      ["responsePiece"],
    ]);
    expect(isFinal).toEqual([false, false, false, false, false, true]);
  });

  test("breaks off on a body after its end", () => {
    expect(() => playDuplex(pass, [elsewhere(), ...whole("a"), ...whole("b")])).toThrow(ProtocolViolation);
    expect(() => playDuplex(pass, [elsewhere(true), ...whole("a")])).toThrow(ProtocolViolation);
  });
});

describe("an answer in full duplex", () => {
  const CALL = [requestHeaders(), ...whole(request("tools/list"))];
  const LIST = result({ tools: [{ name: "echo" }, { name: "hidden" }] });
  const FILTERED = result({ tools: [{ name: "echo" }] });
  const answer = (
    type: string | null,
    chunks: readonly Uint8Array[],
    end: "endOfStream" | "trailers" = "endOfStream",
    more = {},
  ) => {
    const played = playDuplex(OPTIONS, [...CALL, responseHeaders(type, more), ...responseBody(chunks, end)]);
    const own = played.replies.slice(CALL.length);
    return { ...played, own, isFinal: played.isFinal.slice(CALL.length), text: textIn(own, "responsePiece") };
  };

  test("is sent back as it is when it has been read, and held bytes are not answered at all", () => {
    const { own, isFinal } = answer("application/json", piecesOf(utf8(LIST), 9));
    expect(own.slice(1, -1).flat()).toEqual([]);
    expect(shape(own.at(-1))).toBe(`${FILTERED.length}.`);
    expect(isFinal).toEqual([...Array<boolean>(own.length - 1).fill(false), true]);
  });

  test("is at every cut what it is in one piece, and has one end", () => {
    for (const [type, from, to] of [
      ["application/json", `${LIST} `, FILTERED],
      ["text/event-stream", `: hi\n\ndata: ${LIST}\n\n`, `: hi\n\ndata: ${FILTERED}\n\n`],
    ] as const) {
      for (const end of ["endOfStream", "trailers"] as const) {
        for (const [cut, chunks] of everyCut(utf8(from))) {
          const { text, own, isFinal } = answer(type, chunks, end);
          expect(text, `cut at byte ${cut}, ${end}`).toBe(to);
          expect(own.flat().filter((one) => isPiece(one) && one.endOfStream).length).toBe(end === "trailers" ? 0 : 1);
          expect(isFinal.indexOf(true)).toBe(isFinal.length - 1);
          expect(kinds(own.at(-1)).includes("responseTrailers")).toBe(end === "trailers");
        }
      }
    }
  });

  test("goes back in pieces of 64 KiB, the last of which is the end", () => {
    const pad = (bytes: number): string => result({ x: "y".repeat(bytes - result({ x: "" }).length) });
    expect(shape(answer("application/json", [utf8(pad(2 * PIECE))]).own.at(-1))).toBe("65536 65536.");
    expect(shape(answer("application/json", [utf8(pad(2 * PIECE + 1))]).own.at(-1))).toBe("65536 65536 1.");
  });

  test("that is drained ends with an empty piece", () => {
    const { own } = answer("application/json", [utf8(LIST), utf8(" x"), utf8("")]);
    expect(own.map(shape)).toEqual(["", String(FILTERED.length), "", "0."]);
  });

  test("that is not read is sent back to its end: an error page, and one without a body", () => {
    const page = answer("text/html", [utf8("<p>"), utf8(""), utf8("</p>")], "endOfStream", { status: 502 });
    expect([page.text, page.isFinal]).toEqual(["<p></p>", [false, false, false, true]]);
    expect(page.own.map(shape)).toEqual(["", "3", "", "4."]);
    const trailers = answer("text/html", [utf8("<p>")], "trailers", { status: 502 });
    expect([trailers.text, trailers.isFinal]).toEqual(["<p>", [false, false, true]]);
    expect(answer(null, [], "endOfStream", { endOfStream: true }).isFinal).toEqual([true]);
  });

  test("that is refused is over with that", () => {
    const { own, isFinal } = answer("text/html", []);
    expect([own.map(kinds), isFinal]).toEqual([[["immediateResponse"]], [true]]);
  });

  test("of Envoy itself is sent back to its end", () => {
    const local: ExchangeEvent = {
      kind: "responseHeaders",
      headers: [[":status", "413"]],
      endOfStream: false,
      codeDetails: "request_payload_too_large",
    };
    const { replies, isFinal } = playDuplex(OPTIONS, [
      requestHeaders(),
      local,
      ...responseBody([utf8("a"), utf8("b")]),
    ]);
    expect(replies.map(kinds)).toEqual([[], ["responseHeaders"], ["responsePiece"], ["responsePiece"]]);
    expect(isFinal).toEqual([false, false, false, true]);
  });
});

describe("full duplex in one direction", () => {
  const LIST = result({ tools: [{ name: "echo" }, { name: "hidden" }] });
  const BODY = request("tools/list");
  const REST = [responseHeaders(), ...responseBody([utf8(LIST)])];

  test("of the request leaves answers as they are without it", () => {
    const { replies, isFinal } = playDuplex(OPTIONS, [requestHeaders(), ...whole(BODY), ...REST], {
      request: true,
      answer: false,
    });
    expect(replies.map(kinds)).toEqual([[], ["requestHeaders", "requestPiece"], ["responseHeaders"], ["responseBody"]]);
    expect(isFinal).toEqual([false, false, false, true]);
  });

  test("of the answer leaves requests as they are without it", () => {
    const { replies, isFinal } = playDuplex(OPTIONS, [requestHeaders(), ...whole(BODY), ...REST], {
      request: false,
      answer: true,
    });
    expect(replies.map(kinds)).toEqual([["requestHeaders"], ["requestBody"], ["responseHeaders"], ["responsePiece"]]);
    expect(isFinal).toEqual([false, false, false, true]);
  });

  test("of none is the exchange itself", () => {
    const events = [requestHeaders(), ...whole(BODY), ...REST];
    const { replies } = playDuplex(OPTIONS, events, { request: false, answer: false });
    expect(replies.flat()).toEqual(play(OPTIONS, events).replies);
  });
});

test("what is held of a request is counted until it is judged", () => {
  const duplex = new FullDuplex({ request: true, answer: true });
  const bytes = utf8(toolsCall("echo"));
  let exchange = beginExchange(OPTIONS);
  const held = [requestHeaders(), ...requestPieces([bytes.subarray(0, 7), bytes.subarray(7)])].map((event) => {
    [exchange] = duplex.step(exchange, event);
    return duplex.heldBytes;
  });
  expect(held).toEqual([0, 7, 0]);
});
