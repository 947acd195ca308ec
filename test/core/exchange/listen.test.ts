/** `subscriptions/listen`: a request that is a stream once it is acknowledged. */
import { describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import { recordsOf } from "../../../src/core/exchange/exchange.ts";
import { callsInFlight } from "../../../src/core/exchange/progress.ts";
import { CANCELLED } from "../../../src/core/mcp/outcome.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import {
  deliveredBody,
  optionsWith,
  play,
  POST,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import { modernHeaders, modernRequest, notification, result, rpcError } from "../../fixtures/messages.ts";
import { allow, FROM_READER, policyDocument, policySetWith } from "../../fixtures/policies.ts";

const OPTIONS = optionsWith(
  policySetWith(
    policyDocument("readers", [
      allow("may-listen", FROM_READER, { tools: ["echo"], methods: ["subscriptions/listen"] }),
    ]),
  ),
);
const asks = (method: string, params: object, name?: string): readonly ExchangeEvent[] => [
  requestHeaders([...POST, ...modernHeaders(method, name)]),
  requestBody(modernRequest(method, params)),
];
const LISTEN = asks("subscriptions/listen", { notifications: { toolsListChanged: true } });
const CALL = asks("tools/call", { name: "echo", arguments: {} }, "echo");

const ACKNOWLEDGED = notification("notifications/subscriptions/acknowledged", {
  notifications: { toolsListChanged: true },
});
const CHANGED = notification("notifications/tools/list_changed");
const DONE = result({ resultType: "complete" });

function after(asked: readonly ExchangeEvent[], messages: readonly string[], isEnded = false) {
  const body = utf8(messages.map((message) => `data: ${message}\n\n`).join(""));
  const chunks = responseBody([body], isEnded ? "endOfStream" : "trailers").slice(0, 1);
  const events = [...asked, responseHeaders("text/event-stream"), ...chunks];
  const { exchange, replies } = play(OPTIONS, events);
  const outcome = (unfinished = false): string | undefined =>
    recordsOf(exchange, unfinished ? CANCELLED : undefined)[0]?.outcome.kind;
  return { outcome, waiting: callsInFlight(exchange), text: deliveredBody(events, replies) };
}

describe("subscriptions/listen", () => {
  test("has ended well when it is acknowledged: nobody waits for it any more, and its client may leave", () => {
    expect(after(LISTEN, []).waiting).toBe(1);
    for (const messages of [[ACKNOWLEDGED], [ACKNOWLEDGED, CHANGED]]) {
      const { outcome, waiting } = after(LISTEN, messages);
      expect([outcome(), outcome(true), waiting]).toEqual(["ok", "ok", 0]);
    }
    expect(after(LISTEN, [ACKNOWLEDGED], true).outcome()).toBe("ok");
  });

  test("has its result delivered all the same, when the server ends it", () => {
    const { outcome, text } = after(LISTEN, [ACKNOWLEDGED, DONE], true);
    expect(outcome()).toBe("ok");
    expect(text).toContain(DONE);
  });

  test("has failed with the error that comes along with its acknowledgement", () => {
    expect(after(LISTEN, [ACKNOWLEDGED, rpcError(-32_603)], true).outcome()).toBe("rpc_error");
  });

  test("is left, or fails, as other calls before that", () => {
    expect([after(LISTEN, [CHANGED]).outcome(), after(LISTEN, [CHANGED]).outcome(true)]).toEqual([
      undefined,
      "cancelled",
    ]);
    expect(after(LISTEN, [], true).outcome()).toBe("transport_error");
  });

  test("is the only call that can be acknowledged", () => {
    const { outcome, waiting } = after(CALL, [ACKNOWLEDGED]);
    expect([outcome(), outcome(true), waiting]).toEqual([undefined, "cancelled", 1]);
  });
});
