/** What the meter asks of an exchange that is under way. */
import { describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import { callsInFlight, isResumption, openStream, permittedServer } from "../../../src/core/exchange/progress.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import type { ServerOptions } from "../../../src/core/policy/document.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import {
  optionsWith,
  play,
  POST,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import { batch, notification, request, result, toolsCall } from "../../fixtures/messages.ts";
import { allow, compiled, FROM_READER, policyDocument, serverDocument } from "../../fixtures/policies.ts";

const optionsOf = (server: ServerOptions = {}) =>
  optionsWith(
    compiled([
      serverDocument("everything", undefined, { batches: "judge", ...server }),
      policyDocument("p", [allow("r", FROM_READER, { tools: ["echo"] })]),
    ]).policies,
  );
const after = (body: string, ...events: readonly ExchangeEvent[]) =>
  play(optionsOf(), [requestHeaders(), requestBody(body), ...events]).exchange;
const EVENTS = responseHeaders("text/event-stream");
const piece = (text: string): ExchangeEvent => ({ kind: "responseBody", body: utf8(text), endOfStream: false });

describe("an exchange under way", () => {
  test("is with a server once it was let through to it", () => {
    expect(permittedServer(after(toolsCall("echo")))).toBe("tools/everything");
    expect(permittedServer(after(toolsCall("other")))).toBeUndefined();
    expect(permittedServer(play(optionsOf(), [requestHeaders()]).exchange)).toBeUndefined();
  });

  test("has the calls in flight that were let through and have no answer yet", () => {
    const two = batch(request("tools/list", {}, 1), request("tools/call", { name: "echo" }, 2));
    expect(callsInFlight(after(two))).toBe(2);
    expect(callsInFlight(after(two, EVENTS, piece(`data: ${result({}, 2)}\n\n`)))).toBe(1);
    expect(callsInFlight(after(toolsCall("echo"), responseHeaders(), ...responseBody([utf8(result({}))])))).toBe(0);
    expect(callsInFlight(after(toolsCall("echo"), EVENTS, ...responseBody([utf8("")])))).toBe(0);
    expect(callsInFlight(after(toolsCall("other")))).toBe(0);
    expect(callsInFlight(after(notification("notifications/initialized")))).toBe(0);
  });

  test("has none in flight whose answers nobody reads, and none on a stream, where they were asked for elsewhere", () => {
    const passing = play(optionsOf({ answers: "pass" }), [requestHeaders(), requestBody(toolsCall("echo"))]);
    expect(callsInFlight(passing.exchange)).toBe(0);
    const get: HeaderList = POST.slice(1, 3);
    const stream = play(optionsOf(), [requestHeaders([[":method", "GET"], ...get], { endOfStream: true })]);
    expect(callsInFlight(stream.exchange)).toBe(0);
  });

  test("has a stream open from the answer's headers to its end, where the answer is one", () => {
    expect(openStream(after(toolsCall("echo")))).toBeUndefined();
    expect(openStream(after(toolsCall("echo"), EVENTS))).toBeDefined();
    expect(openStream(after(toolsCall("echo"), EVENTS, ...responseBody([utf8("")])))).toBeUndefined();
    expect(openStream(after(toolsCall("echo"), responseHeaders()))).toBeUndefined();
  });

  test("resumes a stream when its client says how far it had read, and may", () => {
    const get = (...more: HeaderList): HeaderList => [[":method", "GET"], ...POST.slice(1, 3), ...more];
    const resumes = (headers: HeaderList): boolean =>
      isResumption(play(optionsOf(), [requestHeaders(headers, { endOfStream: true })]).exchange);
    expect(resumes(get(["last-event-id", "7"]))).toBe(true);
    expect(resumes(get())).toBe(false);
    expect(resumes(get(["last-event-id", "7"], ["mcp-session-id", "a b"]))).toBe(false);
  });
});
