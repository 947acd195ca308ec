/** ext_authz without a wire: a CheckRequest as Envoy fills it, and what is said to it. */
import { describe, expect, test } from "vitest";
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { HeaderList } from "../../src/core/mcp/headers.ts";
import { createExtAuthz, EXT_AUTHZ_PATH } from "../../src/grpc/ext-authz.ts";
import type { ExtAuthzOptions } from "../../src/grpc/ext-authz.ts";
import { decodeCheckResponse, encodeCheckRequest } from "../../src/grpc/protos.ts";
import type { CheckResponse } from "../../src/grpc/protos.ts";
import type { FrameHandler } from "../../src/grpc/rpc.ts";
import { STATUS_CODE } from "../../src/grpc/status.ts";
import type { Status } from "../../src/grpc/status.ts";
import { utf8 } from "../fixtures/bytes.ts";
import { askOf, AUTHZ_CASES, REQUEST_CASES } from "../fixtures/corpus.ts";
import type { Ask, RequestCase } from "../fixtures/corpus.ts";
import { expectedOf } from "../fixtures/corpus/choices.ts";
import { corePeer } from "../fixtures/corpus/core-peer.ts";
import { playRequest } from "../fixtures/corpus/envoy.ts";
import { jwtMetadata } from "../fixtures/corpus/wire-peer.ts";
import { loadOf } from "../fixtures/load.ts";
import { judged } from "../judge/judged.ts";
import { batch, modernHeaders, modernRequest, notification, request, toolsCall } from "../fixtures/messages.ts";
import { allow, compiled, FROM_ANYONE, FROM_READER, policyDocument, serverDocument } from "../fixtures/policies.ts";
import { silentMeter } from "../fixtures/meter.ts";

const READER = "spiffe://cluster.local/ns/agents/sa/reader";
const RULE = allow("r", FROM_READER, {
  tools: ["echo", "ech!"],
  resources: ["x:/a"],
  methods: ["subscriptions/listen", "tasks/get"],
});
const POLICIES = compiled([
  serverDocument("everything", [{ path: "/mcp" }, { route: "here" }], { batches: "judge" }),
  serverDocument("old", [{ path: "/sse", messages: "/messages" }]),
  policyDocument("p", [RULE], { targets: ["everything", "old"] }),
]).policies;

type Http = {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly size?: number;
  readonly headers?: HeaderList;
  readonly rawBody?: Uint8Array;
  readonly body?: string;
};
type Sent = { readonly http: Http; readonly source?: object; readonly more?: object };

/** With headers one by one (`encode_raw_headers`) or as a map. */
function checkRequest({ http, source = { principal: READER }, more = {} }: Sent, asMap = false): Uint8Array {
  const { headers = [["content-type", "application/json"]], method = "POST", path = "/mcp", ...rest } = http;
  const all: HeaderList = [[":method", method], [":path", path], ...headers];
  const map = Object.fromEntries(all.map(([name]) => [name, joined(all, name)]));
  const raw = { headers: all.map(([key, value]) => ({ key, rawValue: Buffer.from(value, "latin1") })) };
  const given = asMap ? { headers: map } : { headerMap: raw };
  const seen = { method, path, host: "mcp.example", scheme: "http", size: -1, id: "r-1", ...rest, ...given };
  return encodeCheckRequest({ attributes: { source, request: { http: seen }, ...more } });
}
const joined = (headers: HeaderList, wanted: string): string =>
  headers.flatMap(([name, value]) => (name === wanted ? [value] : [])).join(",");

type Answer = {
  readonly response: CheckResponse | undefined;
  readonly status: Status | undefined;
  readonly records: readonly ExchangeRecord[];
};

function ask(bytes: Uint8Array | readonly Uint8Array[], options: Partial<ExtAuthzOptions> = {}): Answer {
  const records: ExchangeRecord[] = [];
  const written: CheckResponse[] = [];
  let status: Status | undefined;
  let on: FrameHandler | undefined;
  const handler = createExtAuthz({
    policies: { get: () => POLICIES },
    load: loadOf(),
    telemetry: { record: (record) => void records.push(record) },
    meter: silentMeter(),
    unmatched: "refuse",
    limits: DEFAULT_LIMITS,
    jwtPayloadKey: "payload",
    trust: { workload: "peer", trustDomain: "cluster.local" },
    lists: "refuse",
    unseen: "refuse",
    ...options,
  });
  judged(handler)({
    path: EXT_AUTHZ_PATH,
    frames: (handlers) => void (on = handlers),
    write: (message) => void written.push(decodeCheckResponse(message)),
    end: (ended) => void (status ??= ended),
  });
  for (const message of bytes instanceof Uint8Array ? [bytes] : bytes) on?.message(message);
  on?.end();
  on?.closed();
  return { response: written[0], status, records };
}

const send = (body: string, more: Http = {}, options: Partial<ExtAuthzOptions> = {}): Answer =>
  ask(checkRequest({ http: { rawBody: utf8(body), ...more } }), options);
/** "allow", or the reason of the denial. */
const said = ({ response, records }: Answer): string =>
  response?.status.code === 0 ? "allow" : (records[0]?.reason ?? "no record");

describe("ext_authz", () => {
  test("allows with a status that says so, the facts for Envoy, and a record of a call whose answer is not read", () => {
    const { response, status, records } = send(toolsCall("echo"));
    expect(status).toMatchObject({ code: STATUS_CODE.OK });
    const fields = response?.dynamicMetadata?.fields as Record<string, { stringValue: string }>;
    expect(Object.entries(fields).map(([name, { stringValue }]) => `${name}: ${stringValue}`)).toEqual(
      expect.arrayContaining(["tool: echo", "server: tools/everything", "decision: allow", "caller: agents/reader"]),
    );
    expect(response).toMatchObject({ okResponse: {} });
    expect(records).toMatchObject([{ outcome: { kind: "unread" }, decision: "allow", requestId: "r-1" }]);
  });

  test("denies with the answer that ext_proc gives", () => {
    const { response, status, records } = send(toolsCall("other"));
    expect(status).toMatchObject({ code: STATUS_CODE.OK });
    expect(response).toMatchObject({
      status: { code: 7 },
      deniedResponse: {
        status: { code: 200 },
        headers: [{ header: { key: "content-type", value: "application/json" } }],
        body: expect.stringContaining("no rule lets agents/reader use tool other") as string,
      },
    });
    expect(records).toMatchObject([{ outcome: { kind: "denied" }, decision: "deny" }]);
  });

  test("changes headers only, and of them neither the length nor what an answer may be encoded in", () => {
    const headers: HeaderList = [
      ["content-type", "Application/JSON"],
      ["accept-encoding", "gzip"],
      ["l5d-client-id", "x"],
      ["mcp-name", "other"],
    ];
    expect(send(`${toolsCall("echo")} `, { headers }).response).toMatchObject({
      okResponse: {
        headers: [{ header: { key: "content-type", value: "application/json" } }],
        headersToRemove: ["l5d-client-id", "mcp-name"],
      },
    });
  });

  test.each([
    ["tools/list", "not-enforceable", "allow"],
    ["resources/templates/list", "not-enforceable", "allow"],
    ["initialize", "allow", "allow"],
    ["ping", "allow", "allow"],
    ["tasks/list", "no-rule-allows", "no-rule-allows"],
  ])("does with %s what the configuration says of lists: %s, %s", (method, refused, passed) => {
    expect(said(send(request(method, {})))).toBe(refused);
    expect(said(send(request(method, {}), {}, { lists: "pass" }))).toBe(passed);
  });

  test("refuses what it would have to take something out of", () => {
    const listen = (filter: object): Answer => {
      const body = modernRequest("subscriptions/listen", { notifications: filter });
      const headers: HeaderList = [["content-type", "application/json"], ...modernHeaders("subscriptions/listen")];
      return send(body.replace("{", "{ "), { headers });
    };
    expect(said(listen({ resourceSubscriptions: ["x:/a"] }))).toBe("allow");
    expect(said(listen({ resourceSubscriptions: ["x:/a", "x:/b"] }))).toBe("not-enforceable");
    expect(said(listen({ resourceSubscriptions: ["x:/b"] }))).toBe("no-rule-allows");
    const [allowed, denied] = [request("ping", {}, 1), request("tools/call", { name: "other" }, 2)];
    expect(said(send(batch(allowed, request("ping", {}, 3))))).toBe("allow");
    const mixed = send(batch(allowed, denied));
    expect(mixed.response?.status.code).toBe(7);
    expect(mixed.records.map(({ reason }) => reason)).toEqual(["not-enforceable", "no-rule-allows"]);
    expect(said(send(batch(denied)))).toBe("no-rule-allows");
  });

  test("has the arguments that were asked for on record, whoever refuses", () => {
    const loggedArguments = ["path"];
    const logged = { values: { path: "/etc/hosts" }, withheld: 1 };
    const call = (name: string) => toolsCall(name, { path: "/etc/hosts", more: 1 });
    for (const name of ["echo", "other"])
      expect(send(call(name), {}, { loggedArguments }).records).toMatchObject([{ arguments: logged }]);
    const mixed = send(batch(call("echo"), call("other").replace('"id":1', '"id":2')), {}, { loggedArguments });
    expect(mixed.records).toMatchObject([
      { reason: "not-enforceable", arguments: logged },
      { reason: "no-rule-allows", arguments: logged },
    ]);
  });

  test("tells a denial over HTTP with SSE as an HTTP answer: it cannot send a ping in its place", () => {
    const more = { path: "/messages?sessionId=s" };
    expect(said(send(toolsCall("echo"), more))).toBe("allow");
    expect(send(toolsCall("other"), more).response).toMatchObject({ deniedResponse: { status: { code: 200 } } });
  });

  test("refuses a body that Envoy has cut, however it says so", () => {
    const body = toolsCall("echo");
    const partial = (value: string): HeaderList => [
      ["content-type", "application/json"],
      ["x-envoy-auth-partial-body", value],
    ];
    expect(said(send(body, { headers: partial("true") }))).toBe("too-large");
    expect(said(send(body, { headers: partial("false") }))).toBe("allow");
    expect(said(send(body, { size: body.length }))).toBe("allow");
    expect(said(send(body, { size: body.length + 1 }))).toBe("too-large");
    expect(send(body, { size: body.length + 1 }).response).toMatchObject({ deniedResponse: { status: { code: 413 } } });
    expect(said(send(body, { size: body.length + 1 }, { unseen: "server" }))).toBe("too-large");
  });

  test("reads a body that came as text, but goes by no name that may have been another", () => {
    const text = (body: string): Answer => ask(checkRequest({ http: { body } }));
    expect(said(text(toolsCall("echo", { text: "hi! é" })))).toBe("allow");
    expect(said(text(toolsCall("ech!")))).toBe("not-enforceable");
    expect(said(send(toolsCall("ech!")))).toBe("allow");
  });

  test("has no body where HTTP has none", () => {
    const none = (method: string, headers: HeaderList = []): string =>
      said(ask(checkRequest({ http: { method, headers } }), { unseen: "server" }));
    expect([none("GET"), none("DELETE")]).toEqual(["allow", "allow"]);
    expect(none("PUT")).toBe("method-not-allowed");
    const empty: HeaderList = [
      ["content-type", "application/json"],
      ["content-length", "0"],
    ];
    expect(none("POST", empty)).toBe("malformed-request");
    expect(said(send("{}", { method: "GET", headers: [] }))).toBe("malformed-request");
  });

  test("knows a server by the route that context_extensions names", () => {
    const at = (more: object): string =>
      said(ask(checkRequest({ http: { path: "/x", rawBody: utf8(toolsCall("echo")) }, more })));
    expect([at({}), at({ contextExtensions: { route: "here" } })]).toEqual(["unknown-server", "allow"]);
  });

  test("lets by what is no server of ours, where it is told to", () => {
    const policies = compiled([serverDocument()]).policies;
    const options = { unmatched: "pass", policies: { get: () => policies } } as const;
    const { response, records } = send("", { path: "/x", method: "GET" }, options);
    expect(response).toMatchObject({ status: { code: 0 }, okResponse: {} });
    expect(records).toEqual([]);
  });

  test("is refused like ext_proc while the process has enough", () => {
    const { status, response, records } = ask(checkRequest({ http: {} }), { load: loadOf({ isAudited: () => false }) });
    expect([status?.code, response, records]).toEqual([STATUS_CODE.RESOURCE_EXHAUSTED, undefined, []]);
  });

  test("answers one message, and nothing that is no CheckRequest", () => {
    const one = checkRequest({ http: { rawBody: utf8(toolsCall("echo")) } });
    expect(() => ask([one, one])).toThrow("a second came");
    expect(() => ask([])).toThrow("none came");
    expect(() => ask(utf8("\u0001"))).toThrow("not a CheckRequest");
    expect(() => ask(new Uint8Array(0))).toThrow("without an HTTP request");
    expect(() => ask(encodeCheckRequest({ attributes: { request: {} } }))).toThrow("without an HTTP request");
  });
});

describe("a message whose body ext_authz is not sent", () => {
  const HEADERS: HeaderList = [["content-type", "application/json"]];
  const unseen = (headers: HeaderList, mode: ExtAuthzOptions["unseen"], source?: object): string =>
    said(
      ask(checkRequest({ http: { headers: [...HEADERS, ...headers] }, ...(source === undefined ? {} : { source }) }), {
        unseen: mode,
      }),
    );
  const call = modernHeaders("tools/call", "echo");

  test("is refused by default", () => {
    expect(unseen(call, "refuse")).toBe("not-enforceable");
  });

  test("is allowed to who has access to the server, where that is enough", () => {
    expect([unseen([], "server"), unseen(modernHeaders("tools/call", "other"), "server")]).toEqual(["allow", "allow"]);
    expect(unseen([], "server", { principal: "spiffe://cluster.local/ns/agents/sa/other" })).toBe("no-access");
  });

  test.each<readonly [HeaderList, string]>([
    [call, "allow"],
    [modernHeaders("tools/call", "=?base64?ZWNobw==?="), "allow"],
    [[...call, ["mcp-param-x", "anything"]], "allow"],
    [modernHeaders("resources/read", "x:/a"), "allow"],
    [modernHeaders("tasks/get", "t"), "allow"],
    [modernHeaders("server/discover"), "allow"],
    [modernHeaders("notifications/cancelled"), "allow"],
    [modernHeaders("tools/call", "other"), "no-rule-allows"],
    [modernHeaders("resources/read", "x:/b"), "no-rule-allows"],
    [modernHeaders("tools/list"), "not-enforceable"],
    [modernHeaders("tools/call"), "invalid-params"],
    [modernHeaders("tools/call", "=?base64?ZWNobw?="), "not-enforceable"],
    [modernHeaders("completion/complete", "p"), "not-enforceable"],
    [modernHeaders("subscriptions/listen"), "not-enforceable"],
    [modernHeaders("tools/run", "echo"), "unknown-method"],
    [modernHeaders("ping"), "unknown-method"],
    [[["mcp-protocol-version", "2026-07-28"]], "unknown-method"],
    [[["mcp-protocol-version", "2099-01-01"], ...call.slice(1)], "unsupported-version"],
    [
      [
        ["mcp-method", "tools/call"],
        ["mcp-name", "echo"],
      ],
      "not-enforceable",
    ],
  ])("is decided by its headers, where somebody else has checked them: %j is %s", (headers, expected) => {
    expect(unseen(headers, "headers")).toBe(expected);
  });
});

describe("who asks ext_authz", () => {
  const by = (source: object, more: object = {}, from = FROM_READER): string => {
    const policies = compiled([
      serverDocument(),
      policyDocument("p", [allow("r", from, { tools: ["echo"] })]),
    ]).policies;
    return said(
      ask(checkRequest({ http: { rawBody: utf8(toolsCall("echo")) }, source, more }), {
        policies: { get: () => policies },
      }),
    );
  };
  const reason = (source: object): string | undefined => {
    const { records } = ask(checkRequest({ http: { rawBody: utf8(toolsCall("echo")) }, source }));
    const workload = records[0]?.identity.workload;
    return workload !== undefined && "absent" in workload ? workload.absent : workload?.uri;
  };

  test("is the principal that Envoy tells: a URI, a DNS name or a subject", () => {
    expect(reason({ principal: READER })).toBe(READER);
    expect(reason({ principal: "a.example" })).toBe("dns:a.example");
    expect(reason({ principal: "CN=a,O=b" })).toBe("subject:CN=a,O=b");
    expect(reason({ principal: "https://a.example" })).toBe("not-a-spiffe-id");
    expect(reason({ principal: "" })).toBe("no-certificate");
    expect([by({ principal: READER }), by({ principal: "" }), by({})]).toEqual(["allow", "no-access", "no-access"]);
    expect(() => by({ certificate: "x" })).toThrow("is no certificate");
  });

  test("is the user of a token that jwt_authn has verified", () => {
    const from = { jwt: { issuer: "https://idp.example" } };
    const metadataContext = { filterMetadata: jwtMetadata({ iss: "https://idp.example" }) };
    expect([by({}, { metadataContext }, from), by({}, {}, from)]).toEqual(["allow", "no-access"]);
  });
});

describe("the corpus through ext_authz", () => {
  const CASES = REQUEST_CASES.filter((one) => one.category !== "session" && one.ext_proc === undefined);
  const check = (one: Ask, asMap = false): Uint8Array => {
    const { headers, body, uriSans, jwtPayload, conflict } = one;
    const pseudo = (name: string): string => headers.find(([key]) => key === name)?.[1] ?? "";
    const twice: HeaderList = conflict === undefined ? [] : [[conflict, "other"]];
    const source = { principal: uriSans?.[0] ?? "" };
    const metadataContext =
      jwtPayload === undefined ? {} : { metadataContext: { filterMetadata: jwtMetadata(jwtPayload) } };
    const http = {
      method: pseudo(":method"),
      path: pseudo(":path"),
      host: pseudo(":authority"),
      headers: [...headers.filter(([name]) => !name.startsWith(":")), ...twice],
      rawBody: body,
    };
    return checkRequest({ http, source, more: metadataContext }, asMap);
  };
  const verdictOf = (one: RequestCase, asMap = false): string => {
    const asked = askOf(one);
    const options = { policies: { get: () => asked.policies }, limits: { ...DEFAULT_LIMITS, maxBodyBytes: 1_048_576 } };
    return said(ask(check(asked, asMap), options));
  };

  /** The principal is the first of two URIs. `include_peer_certificate` shows both: test/envoy/ext-authz.test.ts. */
  const TWO_NAMES = { "idn-005": "allow" };

  test("is judged as through ext_proc, but for lists", async () => {
    const others: Record<string, string> = {};
    for (const one of CASES) {
      const asked = askOf(one);
      if (asked.stalls) continue;
      const verdict = await playRequest(corePeer(asked), asked);
      const expected = verdict.kind === "forwarded" ? "allow" : "block";
      const found = verdictOf(one);
      if ((found === "allow" ? "allow" : "block") !== expected) others[one.id] = found;
    }
    const lists = ["ctl-009", "ctl-010", "ctl-011", "ctl-012", "ctl-027", "htp-051", "htp-052"];
    expect(others).toStrictEqual({
      ...Object.fromEntries(lists.map((id) => [id, "not-enforceable"])),
      ...TWO_NAMES,
    });
  });

  test("lets nothing through that should be blocked when Envoy sends headers as a map", () => {
    const blocked = CASES.filter((one) => expectedOf(one) === "block" && !askOf(one).stalls);
    const passed = blocked.filter((one) => verdictOf(one, true) === "allow").map(({ id }) => id);
    expect(passed).toStrictEqual(Object.keys(TWO_NAMES));
  });

  test.each(AUTHZ_CASES.map((one) => [one.id, one.description, one] as const))("%s, %s: is blocked", (id, _, one) => {
    const { headers, body, policies } = askOf(one);
    const http = {
      path: one.http.path,
      headers: headers.filter(([name]) => !name.startsWith(":")),
      ...(id === "xaz-003" ? { body: Buffer.from(body).toString() } : { rawBody: body }),
    };
    const source = { principal: id === "xaz-007" ? "" : READER };
    const answer = ask(checkRequest({ http, source }, id === "xaz-005"), { policies: { get: () => policies } });
    expect(said(answer)).not.toBe("allow");
    const denied = answer.response?.status.code === 7;
    expect(denied).toBe(true);
  });

  test("is not passed by what any caller may do", () => {
    const anyone = compiled([
      serverDocument(),
      policyDocument("p", [allow("r", FROM_ANYONE, { tools: ["*"] })]),
    ]).policies;
    expect(said(send(toolsCall("x"), {}, { policies: { get: () => anyone } }))).toBe("allow");
    expect(said(send(notification("notifications/initialized"), {}, { policies: { get: () => anyone } }))).toBe(
      "allow",
    );
  });
});
