import { describe, expect, test } from "vitest";
import { readAnswerHeaders } from "../../../src/core/exchange/answer-headers.ts";
import type { AnswerHeaders } from "../../../src/core/exchange/answer-headers.ts";
import type { ResponseEvent } from "../../../src/core/exchange/event.ts";
import { AWAITING_ANSWER, stepResponse } from "../../../src/core/exchange/response.ts";
import type { ResponseState } from "../../../src/core/exchange/response.ts";
import type { Reply } from "../../../src/core/exchange/reply.ts";
import type { Asked } from "../../../src/core/mcp/asked.ts";
import { SseParser, TOO_LARGE } from "../../../src/core/sse/parse.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { latin1, textOf, utf8 } from "../../fixtures/bytes.ts";
import { deliveredBody, localReplyOf, responseBody, responseHeaders } from "../../fixtures/exchanges.ts";
import { result } from "../../fixtures/messages.ts";

const ASKED = askedWith(["tool a"]);

function repliesTo(events: readonly ResponseEvent[], asked: Asked): Reply[] {
  let state: ResponseState = AWAITING_ANSWER;
  const replies: Reply[] = [];
  for (const event of events) {
    const [next, reply] = stepResponse(asked, state, event);
    state = next;
    replies.push(reply);
  }
  return replies;
}

describe("an answer in JSON behind bytes that are not the mark", () => {
  test.each([
    "x\xbb\xbf",
    "\xefx\xbf",
    "\xef\xbbx",
    "\xef\xbf\xbf",
    "\xef\xbb\xbe",
    "\xfe\xbb\xbf",
    "   x",
    "\xbf\xbb\xef",
  ])("is not delivered: %j", (bytes) => {
    const events = [responseHeaders(), ...responseBody([latin1(`${bytes}${result({})}`)])] as ResponseEvent[];
    const body = JSON.parse(deliveredBody(events, repliesTo(events, ASKED))) as { readonly error?: unknown };
    expect(body.error).toBeDefined();
  });

  test("is delivered behind the mark, without it", () => {
    const events = [responseHeaders(), ...responseBody([latin1(`\xef\xbb\xbf${result({})}`)])] as ResponseEvent[];
    expect(deliveredBody(events, repliesTo(events, ASKED))).toBe(result({}));
  });
});

describe("an answer in an event that may not be delivered", () => {
  const answer = result({ resultType: "later" });
  const error = {
    jsonrpc: "2.0",
    id: 1,
    error: { message: "The server's answer was not delivered: it has a result of a type that is not known." },
  };

  test.each(["", "\n", "id: 7\n", "event: message\n"])(
    "has an error in its place, or its client would wait: %j",
    (before) => {
      const stream = `${before}data: ${answer}\n\n`;
      const events = [responseHeaders("text/event-stream"), ...responseBody([utf8(stream)])] as ResponseEvent[];
      const found = [...new SseParser(4096).feed(utf8(deliveredBody(events, repliesTo(events, ASKED))))];
      const messages = found.flatMap((one) =>
        one === TOO_LARGE || one.data === undefined ? [] : [JSON.parse(textOf(one.data)) as unknown],
      );
      expect(messages).toMatchObject([error]);
    },
  );
});

describe("an answer that is refused by its headers on a stream that a GET opened", () => {
  const refused = responseHeaders("text/html") as ResponseEvent;

  test.each([true, false])(
    "is one error without an id, whether the server takes batches or not: %s",
    (takesBatches) => {
      const [reply] = repliesTo([refused], { ...ASKED, pending: undefined, takesBatches });
      expect(JSON.parse(localReplyOf(reply).text)).toMatchObject({
        jsonrpc: "2.0",
        error: { message: "The server's answer was not delivered: it is neither JSON nor an event stream." },
      });
    },
  );
});

describe("readAnswerHeaders()", () => {
  const said = (type: string, codeDetails: string | undefined, endOfStream = false, status = "200"): AnswerHeaders =>
    readAnswerHeaders(
      {
        kind: "responseHeaders",
        headers: [
          [":status", status],
          ["content-type", type],
        ],
        endOfStream,
        codeDetails,
      },
      "call",
    );

  test("takes an answer for the server's when Envoy does not say whose it is", () => {
    expect(said("application/json", undefined)).toMatchObject({ kind: "json", mayBeForeign: false });
    expect(said("application/json", undefined, true)).toEqual({ kind: "pass", outcome: { kind: "transport_error" } });
    expect(said("application/json", undefined, false, "503")).toMatchObject({ kind: "json", mayBeForeign: true });
  });

  test.each(["utf-8x", '"utf-8x"', "utf-16", "latin1", "xutf-8", ""])(
    "refuses another character set than UTF-8: %j",
    (charset) => {
      for (const written of [
        `charset=${charset}`,
        `charset = ${charset}`,
        `CharSet =${charset}`,
        `charset\t=\t${charset}`,
      ])
        expect(said(`application/json; ${written}`, undefined), written).toEqual({
          kind: "refuse",
          fault: "is not in UTF-8",
        });
    },
  );

  test.each(["utf-8", "UTF8", '"utf-8"', "utf-8; q=1", "utf-8 ; q=1", "utf-8\t"])("takes %j for UTF-8", (charset) => {
    for (const written of [`charset=${charset}`, `charset = ${charset}`])
      expect(said(`application/json; ${written}`, undefined), written).toEqual({ kind: "json", mayBeForeign: false });
  });
});
