/** What is decided once and not seen again. How Envoy asks it: test/grpc/ext-authz.test.ts. */
import { describe, expect, test } from "vitest";
import { check } from "../../../src/core/exchange/check.ts";
import type { Checked, CheckedBody, CheckOptions } from "../../../src/core/exchange/check.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { optionsWith, POST, requestHeaders } from "../../fixtures/exchanges.ts";
import { batch, modernHeaders, modernRequest, request, toolsCall } from "../../fixtures/messages.ts";
import { allow, compiled, FROM_READER, policyDocument, serverDocument } from "../../fixtures/policies.ts";

const ALL = {
  tools: ["echo", "ech!"],
  prompts: ["p", "p!"],
  resources: ["x:/a", "x:/!"],
};
const { policies } = compiled([
  serverDocument("everything", undefined, { batches: "judge" }),
  policyDocument("p", [allow("r", FROM_READER, ALL, { methods: ["subscriptions/listen", "completion/complete"] })]),
]);

function checked(body: CheckedBody, more: HeaderList = [], options: Partial<CheckOptions> = {}): Checked {
  const all = { ...optionsWith(policies), lists: "refuse", unseen: "refuse", ...options } as const;
  return check(all, requestHeaders([...POST, ...more]), body);
}
const bytes = (text: string): CheckedBody => ({ bytes: utf8(text), isText: false });
const asText = (text: string): CheckedBody => ({ bytes: utf8(text), isText: true });
/** "allow", or why not, in words. */
const said = ({ verdict, summaries }: Checked): string | undefined =>
  verdict === "allow" ? "allow" : summaries[0]?.sentence;

const LISTEN = modernHeaders("subscriptions/listen");
const listen = (...uris: readonly string[]): string =>
  modernRequest("subscriptions/listen", { notifications: { resourceSubscriptions: uris } });

describe("check() says what it cannot do, and which setting would help", () => {
  test.each<readonly [string, CheckedBody, HeaderList, string]>([
    [
      "a denied part of a batch",
      bytes(batch(request("ping"), request("tools/call", { name: "other" }, 2))),
      [],
      "a part of this batch is denied, and nothing can be taken out of a body here",
    ],
    ["a list", bytes(request("tools/list")), [], "what tools/list lists would not be filtered here"],
    [
      "a name that may be another",
      asText(toolsCall("ech!")),
      [],
      'a "!" in a name may stand for a byte that is no UTF-8: set pack_as_bytes',
    ],
    [
      "a subscription of which a part may not be had",
      bytes(listen("x:/a", "x:/b")),
      LISTEN,
      "a part of what is subscribed to may not be seen, and nothing can be taken out here",
    ],
    ["a part of a body", "cut", [], "Envoy has sent a part of the body: raise max_request_bytes"],
    ["no body", "unseen", [], "Envoy does not send the body: set with_request_body"],
  ])("of %s", (_, body, headers, sentence) => {
    expect(said(checked(body, headers))).toBe(sentence);
  });

  test.each<readonly [HeaderList, string]>([
    [[], "before MCP 2026-07-28 only the body says what a request asks for"],
    [modernHeaders("completion/complete", "p"), "the headers alone do not say what this request asks for"],
  ])("where the headers %j stand for the body", (headers, sentence) => {
    expect(said(checked("unseen", headers, { unseen: "headers" }))).toBe(sentence);
  });
});

describe('check() of a body in which a "!" may have been any byte', () => {
  const ODD = 'a "!" in a name may stand for a byte that is no UTF-8: set pack_as_bytes';

  test("goes by no name with one, whichever of several calls or names it is", () => {
    expect(said(checked(asText(batch(request("ping"), request("tools/call", { name: "ech!" }, 2)))))).toBe(ODD);
    const complete = (name: string): string =>
      request("completion/complete", { ref: { type: "ref/prompt", name }, argument: { name: "a", value: "!" } });
    expect(said(checked(asText(complete("p!"))))).toBe(ODD);
    expect(said(checked(asText(complete("p"))))).toBe("allow");
  });

  test("subscribes to nothing with one", () => {
    expect(said(checked(asText(listen("x:/a", "x:/!")), LISTEN))).toBe(ODD);
    expect(said(checked(asText(listen("x:/a")), LISTEN))).toBe("allow");
    expect(said(checked(bytes(listen("x:/a", "x:/!")), LISTEN))).toBe("allow");
  });
});

describe("check() of a body that is not sent", () => {
  test("finds a prompt in the headers as well", () => {
    const prompt = (name: string): Checked =>
      checked("unseen", modernHeaders("prompts/get", name), { unseen: "headers" });
    expect([prompt("p").verdict, prompt("q").verdict]).toEqual(["allow", "deny"]);
  });

  test("denies with an error of HTTP, since nobody knows the id", () => {
    const denied = checked("unseen", modernHeaders("tools/call", "other"), { unseen: "headers" });
    if (denied.verdict !== "deny") throw new Error("it is denied");
    expect(denied.reply.status).toBe(403);
    expect(JSON.parse(textOf(denied.reply.body))).toMatchObject({ id: null, error: { code: -31_403 } });
    expect(denied.summaries).toMatchObject([{ id: undefined }]);
  });

  test("has an unknown method on record where access to the server is enough", () => {
    const { metadata, summaries } = checked("unseen", [], { unseen: "server" });
    expect([metadata.method, summaries.map(({ method }) => method)]).toEqual(["unknown", ["unknown"]]);
  });
});
