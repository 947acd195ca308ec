import { describe, expect, test } from "vitest";
import { NO_CHANGES } from "../../../src/core/mcp/headers.ts";
import type { ExchangeEvent, RequestEvent } from "../../../src/core/exchange/event.ts";
import type { Reply } from "../../../src/core/exchange/reply.ts";
import { stepRequest } from "../../../src/core/exchange/request.ts";
import type { RequestState } from "../../../src/core/exchange/request.ts";
import { ProtocolViolation } from "../../../src/core/exchange/violation.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import type { AccessPolicyDocument } from "../../../src/core/policy/document.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import {
  localReplyOf,
  MAX_BODY_BYTES,
  optionsWith,
  play,
  playRequest,
  POST,
  requestBody,
  requestHeaders,
} from "../../fixtures/exchanges.ts";
import type { Played } from "../../fixtures/exchanges.ts";
import { ANONYMOUS, WRITER } from "../../fixtures/identities.ts";
import { modernHeaders, modernRequest, notification, request, result, toolsCall } from "../../fixtures/messages.ts";
import {
  allow,
  compiled,
  deny,
  FROM_ANYONE,
  FROM_READER,
  policyDocument,
  policySetWith,
  serverDocument,
} from "../../fixtures/policies.ts";

const POLICIES = policySetWith(
  policyDocument("readers", [
    allow("may-read", FROM_READER, { tools: ["echo"], resources: ["demo://static/*"] }),
    deny("no-env", FROM_ANYONE, { tools: ["get-env"] }),
  ]),
);
const OPTIONS = optionsWith(POLICIES);

const get = (method: "GET" | "DELETE", ...more: HeaderList): HeaderList => [
  [":method", method],
  [":path", "/mcp"],
  ...more,
];

/** The reply that decides: the last one. */
const decidedBy = (body: string | Uint8Array, headers: HeaderList = POST): Reply => {
  const reply = playRequest(POLICIES, body, { headers }).replies.at(-1);
  if (reply === undefined) throw new Error("there is no reply");
  return reply;
};
const detailsOf = (reply: Reply | undefined): string =>
  reply?.kind === "immediateResponse" ? reply.details : `not refused: ${reply?.kind}`;

describe("stepRequest() on the headers of a POST", () => {
  test("lets nothing go on before the body was seen", () => {
    const [state, reply] = stepRequest(OPTIONS, { at: "awaitingHeaders" }, requestHeaders());
    expect(state.at).toBe("awaitingBody");
    expect(reply).toEqual({ kind: "requestHeaders", awaits: "requestBody" });
  });

  test.each<readonly [string, HeaderList, string, number]>([
    [
      "a path of no server",
      [
        [":method", "POST"],
        [":path", "/other"],
      ],
      "toolgate_unknown-server",
      403,
    ],
    ["no path", [[":method", "POST"]], "toolgate_unknown-server", 403],
    ["a header that stands twice", [...POST, ["mcp-name", "a"], ["mcp-name", "b"]], "toolgate_malformed-request", 400],
    [
      "another content type",
      [...POST.slice(0, 3), ["content-type", "text/plain"]],
      "toolgate_unsupported-media-type",
      415,
    ],
    [
      "another method",
      [
        [":method", "PUT"],
        [":path", "/mcp"],
      ],
      "toolgate_method-not-allowed",
      405,
    ],
  ])("refuses %s", (_, headers, details, status) => {
    const { exchange, replies } = play(OPTIONS, [requestHeaders(headers)]);
    expect(exchange.request.at).toBe("refused");
    expect(detailsOf(replies[0])).toBe(details);
    expect(localReplyOf(replies[0]).status).toBe(status);
  });

  test("refuses a POST that ends with its headers", () => {
    const { replies } = play(OPTIONS, [requestHeaders(POST, { endOfStream: true })]);
    expect(detailsOf(replies[0])).toBe("toolgate_malformed-request");
  });

  test("takes Envoy's route over the path", () => {
    const { policies } = compiled([serverDocument("routed", [{ route: "r" }])]);
    const { exchange } = play(optionsWith(policies), [requestHeaders(POST, { route: "r" })]);
    expect(exchange.request).toMatchObject({ at: "awaitingBody", server: { name: "tools/routed" } });
  });
});

describe("stepRequest() on a request to no server of ours", () => {
  const elsewhere = requestHeaders(
    [
      [":method", "GET"],
      [":path", "/other"],
    ],
    { endOfStream: true },
  );

  test("lets it through unseen where that is configured", () => {
    const [state, reply] = stepRequest(optionsWith(POLICIES, "pass"), { at: "awaitingHeaders" }, elsewhere);
    expect(state.at).toBe("unmatched");
    expect(reply).toMatchObject({
      kind: "requestHeaders",
      permit: { rule: { policy: "toolgate", rule: "unmatched-pass" } },
      changes: NO_CHANGES,
      metadata: { server: "", decision: "allow", mode: "Enforce" },
    });
  });

  test("refuses it all the same while a document that could describe its server cannot be used", () => {
    const { policies } = compiled([serverDocument()], [{ name: "x", targets: "all", matches: [] }]);
    const [state, reply] = stepRequest(optionsWith(policies, "pass"), { at: "awaitingHeaders" }, elsewhere);
    expect(state.at).toBe("refused");
    expect(detailsOf(reply)).toBe("toolgate_unknown-server");
    expect(localReplyOf(reply).text).toContain("this request goes to no MCP server that policy knows");
  });

  test("lets through what no MCP endpoint would take, since it is none", () => {
    const upgrade = requestHeaders([
      [":method", "GET"],
      [":path", "/ws"],
      ["upgrade", "websocket"],
    ]);
    expect(stepRequest(optionsWith(POLICIES, "pass"), { at: "awaitingHeaders" }, upgrade)[0].at).toBe("unmatched");
  });

  test.each(["/mcp?x", "/mcp/", "//mcp", "/%6Dcp", "/MCP", "/x/../mcp", "/./mcp", "/mcp;v=1", "\\mcp", "/mcp#a"])(
    "refuses %s, which some server or proxy takes for the path of one of ours",
    (path) => {
      const [state, reply] = stepRequest(
        optionsWith(POLICIES, "pass"),
        { at: "awaitingHeaders" },
        requestHeaders([
          [":method", "POST"],
          [":path", path],
        ]),
      );
      expect(state.at).toBe("refused");
      expect(detailsOf(reply)).toBe("toolgate_unknown-server");
    },
  );

  test("refuses all of it while servers are matched by routes that Envoy does not tell", () => {
    const { policies } = compiled([serverDocument("a", [{ route: "mcp" }])]);
    const of = (route: string | undefined): string => {
      const event = { ...elsewhere, route };
      return stepRequest(optionsWith(policies, "pass"), { at: "awaitingHeaders" }, event)[0].at;
    };
    expect(of(undefined)).toBe("refused");
    expect(of("other")).toBe("unmatched");
  });

  test("refuses a header that stands twice before it asks whose request it is", () => {
    const twice = requestHeaders([
      [":method", "GET"],
      [":path", "/other"],
      [":path", "/mcp"],
    ]);
    expect(stepRequest(optionsWith(POLICIES, "pass"), { at: "awaitingHeaders" }, twice)[0].at).toBe("refused");
  });
});

describe("stepRequest() on a GET and a DELETE", () => {
  test.each(["GET", "DELETE"] as const)("decides on a %s by its headers, by base access", (method) => {
    const [state, reply] = stepRequest(
      OPTIONS,
      { at: "awaitingHeaders" },
      requestHeaders(get(method), { endOfStream: true }),
    );
    expect(state).toMatchObject({ at: "permitted", readsAnswer: true, judged: [{ call: { method } }] });
    expect(reply).toMatchObject({
      kind: "requestHeaders",
      permit: { rule: { rule: "base-access" } },
      metadata: { method },
    });
  });

  test("refuses them for who has no access", () => {
    const event = requestHeaders(get("GET"), { endOfStream: true, identity: WRITER });
    const [state, reply] = stepRequest(OPTIONS, { at: "awaitingHeaders" }, event);
    expect(state.at).toBe("refused");
    expect(detailsOf(reply)).toBe("toolgate_no-access");
    expect(localReplyOf(reply).status).toBe(403);
  });
});

describe("stepRequest() on a body", () => {
  test("lets a call go on with its permit, untouched when it is canonical", () => {
    const { exchange, replies } = playRequest(POLICIES, toolsCall("echo"));
    expect(exchange.request).toMatchObject({
      at: "permitted",
      readsAnswer: true,
      judged: [{ decided: { decision: "allow" } }],
    });
    expect(replies[1]).toEqual({
      kind: "requestBody",
      permit: { rule: { policy: "tools/readers", rule: "may-read" }, audited: undefined },
      body: undefined,
      changes: NO_CHANGES,
      metadata: {
        method: "tools/call",
        tool: "echo",
        server: "tools/everything",
        caller: "agents/reader",
        decision: "allow",
        policy: "tools/readers",
        rule: "may-read",
        reason: "",
        mode: "Enforce",
      },
    });
  });

  test("sends on the canonical form of another one, with its length", () => {
    const reply = decidedBy(
      ' {"jsonrpc":"2.0","id":1,"method":"tools\\/call","params":{"name":"\\u0065cho","arguments":{"n":1.0,"2":[],"1":9007199254740993}}}\n',
    );
    const canonical =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"n":1.0,"2":[],"1":9007199254740993}}}';
    expect(reply).toMatchObject({
      kind: "requestBody",
      body: utf8(canonical),
      changes: { set: [["content-length", String(canonical.length)]], remove: [] },
    });
  });

  test("counts the length in bytes", () => {
    const reply = decidedBy(` ${toolsCall("echo", { a: "é" })}`);
    const body = reply.kind === "requestBody" ? reply.body : undefined;
    expect(reply).toMatchObject({ changes: { set: [["content-length", String(body?.length)]] } });
    expect(body && textOf(body)).toBe(toolsCall("echo", { a: "é" }));
  });

  test("expects no answer to a notification, nor to an answer, and looks at what comes", () => {
    for (const body of [notification("notifications/initialized"), result({})])
      expect(playRequest(POLICIES, body).exchange.request).toMatchObject({
        at: "permitted",
        readsAnswer: true,
        asked: { pending: [] },
      });
  });

  test.each<readonly [string, string | Uint8Array, string, number]>([
    ["no JSON", "{", "toolgate_malformed-json", 400],
    ["an empty body", "", "toolgate_malformed-json", 400],
    ["a byte order mark", `\ufeff${toolsCall("echo")}`, "toolgate_malformed-json", 400],
    ["two messages", toolsCall("echo") + toolsCall("echo"), "toolgate_malformed-json", 400],
    ["a batch", `[${toolsCall("echo")}]`, "toolgate_malformed-request", 400],
    ["no message", "{}", "toolgate_malformed-request", 400],
    ["what is nested too deep", `${"[".repeat(65)}${"]".repeat(65)}`, "toolgate_too-deep", 400],
    ["an unknown method", request("tools/run"), "toolgate_unknown-method", 200],
    ["a body over the limit", " ".repeat(MAX_BODY_BYTES + 1), "toolgate_too-large", 413],
    ["a tool that no rule allows", toolsCall("other"), "toolgate_no-rule-allows", 200],
    ["a tool that a rule denies", toolsCall("get-env"), "toolgate_denied-by-rule", 200],
    ["a resource that no rule allows", request("resources/read", { uri: "demo://x" }), "toolgate_no-rule-allows", 200],
  ])("refuses %s", (_, body, details, status) => {
    const { exchange, replies } = playRequest(POLICIES, body);
    expect(exchange.request.at).toBe("refused");
    expect(replies).toHaveLength(2);
    expect(detailsOf(replies[1])).toBe(details);
    expect(localReplyOf(replies[1]).status).toBe(status);
  });

  test("tells a client whose body is too large how large it may be", () => {
    const { text } = localReplyOf(decidedBy(" ".repeat(MAX_BODY_BYTES + 1)));
    expect(text).toContain(`the body is larger than ${MAX_BODY_BYTES} bytes`);
  });

  test("says what is wrong with a URI that servers read differently, where it is no rule that denies it", () => {
    const read = (...more: readonly AccessPolicyDocument[]): unknown => {
      const odd = request("resources/read", { uri: "demo://static/../other" });
      return JSON.parse(localReplyOf(playRequest(policySetWith(...more), odd).replies[1]).text);
    };
    const readers = policyDocument("readers", [allow("r", FROM_READER, { resources: ["demo://static/*"] })]);
    const secrets = policyDocument("secrets", [deny("no", FROM_ANYONE, { resources: ["demo://secret/*"] })]);
    expect(read(readers)).toMatchObject({ error: { code: -32_602, message: "the resource's uri has dot segments" } });
    expect(read(readers, secrets)).toMatchObject({
      error: { code: -31_403, message: expect.stringContaining("rule no of policy tools/secrets denies") as string },
    });
  });

  test("takes a body of exactly the limit", () => {
    const call = toolsCall("echo");
    expect(decidedBy(call + " ".repeat(MAX_BODY_BYTES - call.length)).kind).toBe("requestBody");
  });

  test("answers with the id that could be read", () => {
    const idOf = (body: string): unknown => (JSON.parse(localReplyOf(decidedBy(body)).text) as { id: unknown }).id;
    expect(idOf(request("tools/call", { name: "other" }, "x"))).toBe("x");
    expect(idOf(request("nope", {}, 7))).toBe(7);
    expect(idOf('{"jsonrpc":"2.0","id":7,"method":1}')).toBe(7);
    expect(idOf('{"jsonrpc":"2.0","id":null,"method":"ping"}')).toBeNull();
    expect(idOf("{")).toBeNull();
  });

  test("holds headers against the body in the modern era", () => {
    const headers = (name: string): HeaderList => [...POST, ...modernHeaders("tools/call", name)];
    const body = modernRequest("tools/call", { name: "echo" });
    expect(decidedBy(body, headers("echo")).kind).toBe("requestBody");
    const refused = decidedBy(body, headers("get-env"));
    expect(detailsOf(refused)).toBe("toolgate_header-mismatch");
    expect(localReplyOf(refused)).toMatchObject({
      status: 400,
      text: expect.stringContaining('"code":-32020') as unknown,
    });
    const param = decidedBy(body, [...headers("echo"), ["mcp-param-a", "x"]]);
    expect(detailsOf(param)).toBe("toolgate_header-mismatch");
  });

  test("refuses initialize with 403 for a caller without any rule, and asks for a token where one would help", () => {
    const initialize = request("initialize", { protocolVersion: "2025-11-25" });
    const { replies } = playRequest(POLICIES, initialize, { identity: ANONYMOUS });
    expect(localReplyOf(replies[1]).status).toBe(403);
    const users = policySetWith(policyDocument("p", [allow("u", { jwt: { issuer: "i" } }, { tools: ["*"] })]));
    expect(localReplyOf(playRequest(users, initialize, { identity: ANONYMOUS }).replies[1]).status).toBe(401);
    expect(localReplyOf(playRequest(users, toolsCall("x"), { identity: ANONYMOUS }).replies[1]).status).toBe(401);
  });

  test("drops a notification that is denied without an error", () => {
    const denies = policySetWith(
      policyDocument("p", [
        allow("a", FROM_READER, { tools: ["echo"] }),
        deny("d", FROM_READER, { methods: ["notifications/cancelled"] }),
      ]),
    );
    const { replies } = playRequest(denies, notification("notifications/cancelled"));
    expect(localReplyOf(replies[1])).toEqual({ status: 202, text: "" });
  });

  test("lets through what only Audit refuses, and says so", () => {
    const audit = policySetWith(policyDocument("p", [allow("a", FROM_READER, { tools: ["x"] })], { mode: "Audit" }));
    const { exchange, replies } = playRequest(audit, toolsCall("echo"));
    expect(exchange.request).toMatchObject({
      at: "permitted",
      judged: [{ decided: { decision: "audit", mode: "Audit" } }],
    });
    expect(replies[1]).toMatchObject({
      kind: "requestBody",
      metadata: {
        decision: "audit",
        mode: "Audit",
        reason: "no-rule-allows",
        policy: "toolgate",
        rule: "default-deny",
      },
    });
  });

  test("tells the caller the rule, and the metadata the same", () => {
    const reply = decidedBy(toolsCall("get-env"));
    expect(localReplyOf(reply).text).toContain(
      "Blocked by policy: rule no-env of policy tools/readers denies agents/reader the use of tool get-env on server tools/everything.",
    );
    expect(reply).toMatchObject({
      metadata: {
        decision: "deny",
        reason: "denied-by-rule",
        policy: "tools/readers",
        rule: "no-env",
        tool: "get-env",
      },
    });
  });
});

describe("stepRequest() on initialize", () => {
  const initialize = (capabilities: object): string =>
    request("initialize", { protocolVersion: "2025-11-25", capabilities });

  test("lets it go on without what no rule lets a server ask of the client, with its length", () => {
    const rest = initialize({ experimental: {} });
    expect(decidedBy(initialize({ sampling: {}, experimental: {} }))).toMatchObject({
      kind: "requestBody",
      body: utf8(rest),
      changes: { set: [["content-length", String(rest.length)]] },
    });
    expect(decidedBy(rest)).toMatchObject({ kind: "requestBody", body: undefined, changes: NO_CHANGES });
  });

  test("leaves any other message as it is, whatever is called like that in it", () => {
    const list = request("tools/list", { capabilities: { sampling: {} } });
    expect(decidedBy(list)).toMatchObject({ kind: "requestBody", body: undefined });
  });
});

describe("stepRequest() on subscriptions/listen", () => {
  const METHOD = "subscriptions/listen";
  const listens = policySetWith(
    policyDocument("p", [allow("a", FROM_READER, { resources: ["x:/a"], methods: [METHOD, "tasks/get"] })]),
  );
  const listen = (notifications: object): string => modernRequest(METHOD, { notifications });
  const asked = (body: string, policies = listens): Played =>
    playRequest(policies, body, { headers: [...POST, ...modernHeaders(METHOD)] });

  test("lets it go on as it came when all of it may be seen", () => {
    const { exchange, replies } = asked(
      listen({ resourceSubscriptions: ["x:/a"], toolsListChanged: true, taskIds: ["t"] }),
    );
    expect(replies[1]).toMatchObject({ kind: "requestBody", body: undefined, changes: NO_CHANGES });
    expect(exchange.request).toMatchObject({ at: "permitted", readsAnswer: true });
  });

  test("lets the rest go on, with its length, and is on record as allowed", () => {
    const { replies, exchange } = asked(listen({ resourceSubscriptions: ["x:/b", "x:/a"] }));
    const rest = listen({ resourceSubscriptions: ["x:/a"] });
    expect(replies[1]).toMatchObject({
      kind: "requestBody",
      body: utf8(rest),
      changes: { set: [["content-length", String(rest.length)]] },
      metadata: { decision: "allow", rule: "a", method: METHOD },
    });
    expect(exchange.request).toMatchObject({ judged: [{ verdict: "permitted" }] });
  });

  test("refuses it with its id when nothing that it asks for may be seen", () => {
    const { exchange, replies } = asked(listen({ resourceSubscriptions: ["x:/b"] }).replace('"id":1', '"id":"sub"'));
    expect(localReplyOf(replies[1])).toEqual({
      status: 200,
      text: JSON.stringify({
        jsonrpc: "2.0",
        id: "sub",
        error: {
          code: -31403,
          message:
            "Blocked by policy: no rule lets agents/reader use subscriptions/listen on server tools/everything (rule default-deny).",
        },
      }),
    });
    expect(detailsOf(replies[1])).toBe("toolgate_no-rule-allows");
    expect(exchange.request).toMatchObject({
      at: "refused",
      judged: [{ decided: { decision: "deny", reason: "no-rule-allows", call: { method: METHOD } } }],
    });
  });

  test("needs the method first", () => {
    const none = policySetWith(policyDocument("p", [allow("a", FROM_READER, { resources: ["*"] })]));
    expect(detailsOf(asked(listen({ resourceSubscriptions: ["x:/a"] }), none).replies[1])).toBe(
      "toolgate_no-rule-allows",
    );
  });

  test("takes nothing out while only Audit would", () => {
    const audit = policySetWith(policyDocument("p", [allow("a", FROM_READER, { tools: ["x"] })], { mode: "Audit" }));
    const { replies } = asked(listen({ resourceSubscriptions: ["x:/b"] }), audit);
    expect(replies[1]).toMatchObject({ kind: "requestBody", body: undefined, metadata: { decision: "audit" } });
  });
});

describe("stepRequest() changes headers", () => {
  const changesOf = (body: string, ...headers: HeaderList) => {
    const reply = decidedBy(body, [...POST.slice(0, 3), ...headers]);
    return reply.kind === "requestBody" ? reply.changes : undefined;
  };
  const JSON_TYPE = ["content-type", "application/json"] as const;

  test("so that the server gets one content type", () => {
    for (const type of ["application/json; charset=utf-8", "Application/JSON", "application/json;"])
      expect(changesOf(toolsCall("echo"), ["content-type", type])).toEqual({
        set: [["content-type", "application/json"]],
        remove: [],
      });
  });

  test("so that the answer can be read whole", () => {
    const asking: HeaderList = [
      ["accept-encoding", "gzip"],
      ["range", "bytes=0-1"],
      ["if-none-match", "x"],
    ];
    expect(changesOf(toolsCall("echo"), JSON_TYPE, ...asking)).toEqual({
      set: [],
      remove: ["range", "if-none-match", "accept-encoding"],
    });
  });

  test("so that nothing goes on that nobody has checked", () => {
    const legacy: HeaderList = [
      ["mcp-method", "tools/list"],
      ["mcp-name", "x"],
      ["mcp-param-a", "x"],
      ["mcp-param-b", ""],
      ["mcp-session-id", "s"],
    ];
    expect(changesOf(toolsCall("echo"), JSON_TYPE, ...legacy)).toEqual({
      set: [],
      remove: ["mcp-method", "mcp-name", "mcp-param-a", "mcp-param-b"],
    });
    const modern: HeaderList = [...modernHeaders("tools/call", "echo"), ["mcp-session-id", "s"], ["mcp-param-a", "x"]];
    const body = modernRequest("tools/call", { name: "echo", arguments: { a: "x" } });
    expect(changesOf(body, JSON_TYPE, ...modern)).toEqual({
      set: [],
      remove: ["mcp-session-id"],
    });
  });

  test("so that the server sees who is believed to have called", () => {
    const forwarded = { set: [["x-forwarded-client-cert", "URI=c"] as const], remove: ["l5d-client-id"] };
    const { replies } = play(OPTIONS, [requestHeaders(POST, { forwarded }), requestBody(toolsCall("echo"))]);
    expect(replies[1]).toMatchObject({ changes: forwarded });
  });

  test("of a GET as well", () => {
    const headers = get("GET", ["accept-encoding", "br"], ["last-event-id", "7"]);
    const { replies } = play(OPTIONS, [requestHeaders(headers, { endOfStream: true })]);
    expect(replies[0]).toMatchObject({ changes: { set: [], remove: ["accept-encoding"] } });
  });
});

const permitted = playRequest(POLICIES, toolsCall("echo")).exchange.request;
const refused = playRequest(POLICIES, toolsCall("other")).exchange.request;
const awaitingBody = play(OPTIONS, [requestHeaders()]).exchange.request;
const unmatched = play(optionsWith(POLICIES, "pass"), [requestHeaders([[":path", "/x"]])]).exchange.request;

const STATES: readonly RequestState[] = [
  { at: "awaitingHeaders" },
  awaitingBody,
  permitted,
  unmatched,
  refused,
  { at: "answeredByEnvoy" },
];
const body = requestBody(toolsCall("echo"));
const EVENTS: readonly ExchangeEvent[] = [requestHeaders(), body, { kind: "requestTrailers" }];

/** What each state answers to each event; undefined: the stream ends with an error. */
const ANSWERS: { readonly [at in RequestState["at"]]: readonly (Reply["kind"] | undefined)[] } = {
  awaitingHeaders: ["requestHeaders", undefined, undefined],
  awaitingBody: [undefined, "requestBody", "immediateResponse"],
  permitted: [undefined, undefined, "requestTrailers"],
  unmatched: [undefined, undefined, "requestTrailers"],
  refused: [undefined, undefined, undefined],
  answeredByEnvoy: [undefined, undefined, undefined],
};

describe.each(STATES)("stepRequest() while $at", (state) => {
  test.each(EVENTS.map((event, i) => [event.kind, event, ANSWERS[state.at][i]] as const))(
    "answers %s once, in kind, or breaks off",
    (_, event, kind) => {
      const step = () => stepRequest(OPTIONS, state, event as RequestEvent);
      if (kind === undefined) expect(step).toThrow(ProtocolViolation);
      else expect(step()[1].kind).toBe(kind);
    },
  );
});
