import { describe, expect, test } from "vitest";
import type { Identity } from "../../../src/core/identity/identity.ts";
import type { Call } from "../../../src/core/mcp/call.ts";
import { ANSWERS } from "../../../src/core/mcp/subject.ts";
import { GRANTABLE_METHODS } from "../../../src/core/mcp/methods.ts";
import { decide, isVisible, permitUnmatched, seesAll } from "../../../src/core/policy/decide.ts";
import type { Decision } from "../../../src/core/policy/decide.ts";
import type { Server } from "../../../src/core/policy/policy-set.ts";
import { ANONYMOUS, identity, ISSUER, READER, user, WRITER } from "../../fixtures/identities.ts";
import {
  allow,
  compiled,
  deny,
  FROM_ANYONE,
  FROM_READER,
  policyDocument,
  serverDocument,
  serverWith,
} from "../../fixtures/policies.ts";
import { baseCall, callOf, method, prompt, resource, template, tool, toolCall } from "../../fixtures/subjects.ts";

/** A decision in one line: `allow <policy>/<rule>`, `deny <reason> by <policy>/<rule>`, `audit <reason> by ...`. */
function say(decision: Decision): string {
  const named = (rule: { policy: string; rule: string }): string => `${rule.policy}/${rule.rule}`;
  if (decision.verdict === "deny") return `deny ${decision.denial.reason} by ${named(decision.denial.rule)}`;
  const { audited, rule } = decision.permit;
  return audited === undefined ? `allow ${named(rule)}` : `audit ${audited.reason} by ${named(audited.rule)}`;
}
const ask = (server: Server, caller: Identity, call: Call): string => say(decide(server, caller, call));

const NO_RULE = "deny no-rule-allows by toolgate/default-deny";
const NO_ACCESS = "deny no-access by toolgate/default-deny";

describe("decide() with no rule that fits", () => {
  test("refuses everything on a server that no policy names", () => {
    const server = serverWith();
    for (const call of [toolCall("echo"), baseCall("initialize"), baseCall("tools/list"), callOf("ping", [], true)])
      expect(ask(server, READER, call)).toBe(NO_ACCESS);
    expect(isVisible(server, READER, tool("echo"))).toBe(false);
  });

  test("tells a caller with base access that no rule allows it, and others only that they have none", () => {
    const server = serverWith(policyDocument("p", [allow("one", FROM_READER, { tools: ["echo"] })]));
    expect(ask(server, READER, toolCall("other"))).toBe(NO_RULE);
    expect(ask(server, WRITER, toolCall("echo"))).toBe(NO_ACCESS);
    expect(ask(server, ANONYMOUS, toolCall("echo"))).toBe(NO_ACCESS);
  });

  test("keeps the kinds apart: a tool's grant is none for a prompt, a resource or a method", () => {
    const server = serverWith(policyDocument("p", [allow("tools", FROM_READER, { tools: ["*"] })]));
    expect(ask(server, READER, toolCall("x"))).toBe("allow tools/p/tools");
    expect(ask(server, READER, callOf("prompts/get", [prompt("x")]))).toBe(NO_RULE);
    expect(ask(server, READER, callOf("resources/read", [resource("x:/a")]))).toBe(NO_RULE);
    expect(ask(server, READER, callOf("logging/setLevel", [method("logging/setLevel")]))).toBe(NO_RULE);
  });
});

describe("decide() with base access", () => {
  const server = serverWith(policyDocument("p", [allow("one", FROM_READER, { tools: ["echo"] })]));

  test("lets in who has any Allow rule on the server, whatever it is about", () => {
    for (const name of [
      "initialize",
      "ping",
      "tools/list",
      "prompts/list",
      "resources/list",
      "notifications/initialized",
    ] as const)
      expect(ask(server, READER, baseCall(name))).toBe("allow toolgate/base-access");
    expect(ask(server, READER, callOf("ping", [], true))).toBe("allow toolgate/base-access");
  });

  test("does not let in who has none, and who is only unknown to an Allow rule", () => {
    expect(ask(server, WRITER, baseCall("initialize"))).toBe(NO_ACCESS);
    const claims = serverWith(
      policyDocument("p", [
        allow("c", { jwt: { issuer: ISSUER, claims: [{ name: "team", values: ["search"] }] } }, { tools: ["*"] }),
      ]),
    );
    expect(ask(claims, user({}), baseCall("initialize"))).toBe(NO_ACCESS);
    expect(ask(claims, user({ team: "search" }), baseCall("initialize"))).toBe("allow toolgate/base-access");
  });

  test("is not given by a Deny rule", () => {
    const denies = serverWith(policyDocument("p", [deny("d", FROM_ANYONE, { tools: ["x"] })]));
    expect(ask(denies, READER, baseCall("initialize"))).toBe(NO_ACCESS);
  });

  test("can be denied by method, for one method", () => {
    const denies = serverWith(
      policyDocument("p", [
        allow("one", FROM_READER, { tools: ["echo"] }),
        deny("no-lists", FROM_READER, { methods: ["prompts/list"] }),
      ]),
    );
    expect(ask(denies, READER, baseCall("prompts/list"))).toBe("deny denied-by-rule by tools/p/no-lists");
    expect(ask(denies, READER, baseCall("tools/list"))).toBe("allow toolgate/base-access");
  });

  test("cites the rule that grants the method by name where there is one", () => {
    const grants = serverWith(policyDocument("p", [allow("lists", FROM_READER, { methods: ["*/list"] })]));
    expect(ask(grants, READER, baseCall("tools/list"))).toBe("allow tools/p/lists");
    expect(ask(grants, READER, baseCall("initialize"))).toBe("allow toolgate/base-access");
  });
});

describe("decide() with Allow and Deny", () => {
  const allowAll = allow("all", FROM_READER, { tools: ["*"], resources: ["*"] });
  const denySome = deny("some", FROM_READER, { tools: ["get-*"], resources: ["x:/secret/*"] });

  test.each([
    ["in this order", [allowAll, denySome]],
    ["in the other order", [denySome, allowAll]],
  ])("lets Deny win, %s", (_, rules) => {
    const server = serverWith(policyDocument("p", rules));
    expect(ask(server, READER, toolCall("echo"))).toBe("allow tools/p/all");
    expect(ask(server, READER, toolCall("get-env"))).toBe("deny denied-by-rule by tools/p/some");
  });

  test("lets Deny win across policies, whatever their names, and over an exact name", () => {
    for (const [one, other] of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      const server = serverWith(
        policyDocument(one, [allow("exact", FROM_READER, { tools: ["get-env"] })]),
        policyDocument(other, [deny("star", FROM_ANYONE, { tools: ["*"] })]),
      );
      expect(ask(server, READER, toolCall("get-env"))).toBe(`deny denied-by-rule by tools/${other}/star`);
    }
  });

  test("denies only whom the rule is about", () => {
    const server = serverWith(
      policyDocument("p", [
        allow("all", FROM_ANYONE, { tools: ["*"] }),
        deny("reader", FROM_READER, { tools: ["echo"] }),
      ]),
    );
    expect(ask(server, READER, toolCall("echo"))).toBe("deny denied-by-rule by tools/p/reader");
    expect(ask(server, WRITER, toolCall("echo"))).toBe("allow tools/p/all");
    expect(ask(server, ANONYMOUS, toolCall("echo"))).toBe("allow tools/p/all");
  });

  test("tells a caller without base access nothing about the rules for others", () => {
    const server = serverWith(policyDocument("p", [allowAll, deny("d", FROM_ANYONE, { tools: ["get-env"] })]));
    expect(ask(server, WRITER, toolCall("get-env"))).toBe(NO_ACCESS);
  });
});

describe("decide() with a claim that is unknown", () => {
  const from = { jwt: { issuer: ISSUER, claims: [{ name: "team", values: ["search"] }] } };
  const server = serverWith(
    policyDocument("p", [
      allow("everyone", FROM_ANYONE, { tools: ["open"] }),
      allow("team", from, { tools: ["team"] }),
      deny("not-team", from, { tools: ["open"] }),
    ]),
  );

  test.each([
    ["missing", user({})],
    ["of another type", user({ team: 7 })],
    ["a list with something else in it", user({ team: [7] })],
  ])("(%s) denies in a Deny rule and does not permit in an Allow rule", (_, caller) => {
    expect(ask(server, caller, toolCall("open"))).toBe("deny denied-by-rule by tools/p/not-team");
    expect(ask(server, caller, toolCall("team"))).toBe(NO_RULE);
  });

  test("(the subject) denies in a Deny rule that names one", () => {
    const bySubject = serverWith(
      policyDocument("p", [
        allow("everyone", FROM_ANYONE, { tools: ["*"] }),
        deny("ada", { jwt: { issuer: ISSUER, subject: "ada" } }, { tools: ["*"] }),
        deny("bob", { jwt: { issuer: ISSUER, subject: "bob" } }, { tools: ["x"] }),
      ]),
    );
    expect(ask(bySubject, identity(undefined, { iss: ISSUER }), toolCall("y"))).toBe(
      "deny denied-by-rule by tools/p/ada",
    );
    expect(ask(bySubject, user({ sub: "bob" }), toolCall("y"))).toBe("allow tools/p/everyone");
    expect(ask(bySubject, ANONYMOUS, toolCall("y"))).toBe("allow tools/p/everyone");
  });

  test("is not unknown for another issuer, nor for who has no token", () => {
    expect(ask(server, identity(undefined, { iss: "https://other" }), toolCall("open"))).toBe("allow tools/p/everyone");
    expect(ask(server, ANONYMOUS, toolCall("open"))).toBe("allow tools/p/everyone");
    expect(ask(server, user({ team: "ads" }), toolCall("open"))).toBe("allow tools/p/everyone");
  });
});

describe("decide() with Audit", () => {
  const allowEcho = allow("echo", FROM_READER, { tools: ["echo"] });
  const denyEcho = deny("no-echo", FROM_READER, { tools: ["echo"] });

  test("refuses nothing on a server whose policies all audit, and says what it would refuse", () => {
    const server = serverWith(
      policyDocument("a", [allowEcho], { mode: "Audit" }),
      policyDocument("b", [deny("no-get", FROM_ANYONE, { tools: ["get-*"] })], { mode: "Audit" }),
    );
    expect(ask(server, READER, toolCall("echo"))).toBe("allow tools/a/echo");
    expect(ask(server, READER, toolCall("other"))).toBe("audit no-rule-allows by toolgate/default-deny");
    expect(ask(server, WRITER, toolCall("echo"))).toBe("audit no-rule-allows by toolgate/default-deny");
    expect(ask(server, WRITER, baseCall("initialize"))).toBe("audit no-access by toolgate/default-deny");
    expect(ask(server, ANONYMOUS, callOf("ping", [], true))).toBe("audit no-access by toolgate/default-deny");
    for (const caller of [READER, WRITER, ANONYMOUS])
      expect(isVisible(server, caller, tool("get-env")), "what may be called is seen").toBe(true);
  });

  test("records a Deny rule on trial and lets through what is allowed", () => {
    const server = serverWith(policyDocument("a", [allowEcho]), policyDocument("b", [denyEcho], { mode: "Audit" }));
    expect(ask(server, READER, toolCall("echo"))).toBe("audit denied-by-rule by tools/b/no-echo");
    expect(isVisible(server, READER, tool("echo"))).toBe(true);
  });

  test("lets nothing through that default deny refuses: a Deny rule on trial is no grant", () => {
    const server = serverWith(
      policyDocument("a", [allow("x", FROM_READER, { tools: ["x"] })]),
      policyDocument("b", [denyEcho], { mode: "Audit" }),
    );
    expect(ask(server, READER, toolCall("echo"))).toBe(NO_RULE);
    expect(isVisible(server, READER, tool("echo"))).toBe(false);
  });

  test("lets nothing through that a Deny rule in force refuses", () => {
    const server = serverWith(
      policyDocument("a", [allowEcho, denyEcho]),
      policyDocument("b", [deny("trial", FROM_READER, { tools: ["*"] })], { mode: "Audit" }),
    );
    expect(ask(server, READER, toolCall("echo"))).toBe("deny denied-by-rule by tools/a/no-echo");
  });

  test.each([
    ["first", "a", "b"],
    ["last", "b", "a"],
  ])("lets default deny refuse as soon as one policy enforces, the %s one", (_, enforcing, auditing) => {
    const server = serverWith(
      policyDocument(enforcing, [allowEcho]),
      policyDocument(auditing, [allow("x", FROM_READER, { tools: ["x"] })], { mode: "Audit" }),
    );
    expect(ask(server, READER, toolCall("other"))).toBe(NO_RULE);
    expect(ask(server, WRITER, baseCall("initialize"))).toBe(NO_ACCESS);
    expect(ask(server, READER, toolCall("x"))).toBe(`allow tools/${auditing}/x`);
  });

  test("enforces when no mode is written", () => {
    expect(ask(serverWith(policyDocument("a", [allowEcho])), READER, toolCall("x"))).toBe(NO_RULE);
  });

  test("refuses in one server what another only audits", () => {
    const { policies } = compiled([
      serverDocument("one", [{ path: "/one" }]),
      serverDocument("two", [{ path: "/two" }]),
      policyDocument("a", [allowEcho], { mode: "Audit", targets: ["one", "two"] }),
      policyDocument("b", [allowEcho], { mode: "Enforce", targets: ["two"] }),
    ]);
    const [one, two] = ["/one", "/two"].map(
      (path) => policies.match({ route: undefined, host: undefined, path })?.server,
    );
    expect(one && ask(one, READER, toolCall("x"))).toBe("audit no-rule-allows by toolgate/default-deny");
    expect(two && ask(two, READER, toolCall("x"))).toBe(NO_RULE);
  });
});

describe("decide() with several subjects", () => {
  const completion = callOf("completion/complete", [prompt("p"), method("completion/complete")]);
  const both = policyDocument("p", [
    allow("prompt", FROM_READER, { prompts: ["p"] }),
    allow("complete", FROM_READER, { methods: ["completion/complete"] }),
  ]);

  test("needs a grant for each, and cites the one for what the call is about", () => {
    expect(ask(serverWith(both), READER, completion)).toBe("allow tools/p/prompt");
    for (const rule of both.spec.rules)
      expect(ask(serverWith(policyDocument("p", [rule])), READER, completion)).toBe(NO_RULE);
  });

  test("refuses when one of them is denied", () => {
    for (const to of [{ prompts: ["p"] }, { methods: ["completion/complete"] }]) {
      const server = serverWith(both, policyDocument("d", [deny("d", FROM_ANYONE, to)]));
      expect(ask(server, READER, completion)).toBe("deny denied-by-rule by tools/d/d");
    }
  });

  test("records when one of them would be denied", () => {
    for (const to of [{ prompts: ["p"] }, { methods: ["completion/complete"] }]) {
      const server = serverWith(both, policyDocument("d", [deny("d", FROM_ANYONE, to)], { mode: "Audit" }));
      expect(ask(server, READER, completion)).toBe("audit denied-by-rule by tools/d/d");
    }
  });

  test("lets a client answer the server when any request of the server is granted, and not when all are denied", () => {
    const answer = callOf("ping", [ANSWERS]);
    const grant = (...methods: readonly string[]) => policyDocument("p", [allow("a", FROM_READER, { methods })]);
    const refuse = (...methods: readonly string[]) => policyDocument("d", [deny("d", FROM_READER, { methods })]);
    expect(ask(serverWith(grant("roots/list")), READER, answer)).toBe("allow tools/p/a");
    expect(ask(serverWith(grant("*")), READER, answer)).toBe("allow tools/p/a");
    expect(ask(serverWith(grant("logging/setLevel")), READER, answer)).toBe(NO_RULE);
    expect(ask(serverWith(grant("*"), refuse("roots/list")), READER, answer)).toBe("allow tools/p/a");
    expect(ask(serverWith(grant("*"), refuse("*")), READER, answer)).toBe("deny denied-by-rule by tools/d/d");
  });

  test("grants no answers by a pattern that only happens to fit the word", () => {
    // `*er` is about server/discover; "answer" is a word of ours, not a method of MCP.
    const server = serverWith(policyDocument("p", [allow("a", FROM_READER, { methods: ["*er"] })]));
    expect(ask(server, READER, callOf("ping", [ANSWERS]))).toBe(NO_RULE);
  });
});

describe("decide() about a template", () => {
  const reads = (...patterns: readonly string[]) => allow("a", FROM_READER, { resources: patterns });
  const sees = (uri: string, ...rules: Parameters<typeof policyDocument>[1]): boolean =>
    isVisible(serverWith(policyDocument("p", rules)), READER, template(uri));

  test("allows it when all that it can become is allowed, by one pattern", () => {
    expect(sees("x:/{a}", reads("x:/*"))).toBe(true);
    expect(sees("x:/{a}/b", reads("x:/*/b"))).toBe(true);
    expect(sees("x:/{a}", reads("*"))).toBe(true);
    expect(sees("x:/{a}", reads("x:/a"))).toBe(false);
    expect(sees("x:/{a}", reads("x:/a*"))).toBe(false);
    expect(sees("x://{host}/a", reads("x://host/*"))).toBe(false);
    expect(sees("x:/a", reads("x:/a"))).toBe(true);
  });

  test("denies it when something that it can become is denied", () => {
    const denies = (pattern: string) => deny("d", FROM_READER, { resources: [pattern] });
    expect(sees("x:/{a}", reads("*"), denies("x:/secret"))).toBe(false);
    expect(sees("x:/{a}", reads("*"), denies("x:/secret/*"))).toBe(false);
    expect(sees("x:/public/{a}", reads("*"), denies("x:/secret/*"))).toBe(true);
  });
});

describe("decide() about a URI that is not in normal form", () => {
  const ODD = ["x:/a/../b", "x:/a//b", "x:/%61", "x:/a b", "X:/a", "x://h:80/a", "x://H/a", "x:/a#b", "a", "x:/%2e"];
  const read = (uri: string, ...rules: Parameters<typeof policyDocument>[1]): string =>
    ask(serverWith(policyDocument("p", rules)), READER, callOf("resources/read", [resource(uri)]));
  const reads = (...resources: readonly string[]) => allow("a", FROM_READER, { resources });
  const tools = allow("t", FROM_READER, { tools: ["*"] });

  test.each(ODD)("allows it by a rule that has it as it is, or by a star alone: %s", (uri) => {
    expect(read(uri, reads(uri))).toBe("allow tools/p/a");
    expect(read(uri, reads("*"))).toBe("allow tools/p/a");
    expect(read(uri, reads("**"))).toBe("allow tools/p/a");
  });

  test.each(ODD)("allows it by nothing else that matches its text: %s", (uri) => {
    for (const pattern of [`${uri}*`, `*${uri}`, `${uri.slice(0, 1)}*`, `*${uri.slice(-1)}`, "x:/*", "*:*", "*a*"])
      expect(read(uri, tools, reads(pattern)), pattern).toBe(NO_RULE);
  });

  test.each(ODD)("denies it by any Deny rule on resources, whatever that is about: %s", (uri) => {
    for (const pattern of ["y:/other", "x:/secret/*", "*"]) {
      const denies = deny("d", FROM_ANYONE, { resources: [pattern] });
      expect(read(uri, reads(uri, "*"), denies)).toBe("deny denied-by-rule by tools/p/d");
      expect(read("x:/plain", reads("*"), denies)).toBe(
        pattern === "*" ? "deny denied-by-rule by tools/p/d" : "allow tools/p/a",
      );
    }
  });

  test("is not denied by rules about others, or about tools, prompts and other methods", () => {
    const others = [
      deny("o", { spiffe: "spiffe://cluster.local/ns/agents/sa/writer" }, { resources: ["*"] }),
      deny("t", FROM_ANYONE, { tools: ["*"], prompts: ["*"], methods: ["completion/*"] }),
    ];
    expect(read("x:/a/../b", reads("*"), ...others)).toBe("allow tools/p/a");
  });

  test("is recorded where only Audit denies it", () => {
    const server = serverWith(
      policyDocument("p", [reads("*")]),
      policyDocument("d", [deny("d", FROM_ANYONE, { resources: ["y:/*"] })], { mode: "Audit" }),
    );
    expect(ask(server, READER, callOf("resources/read", [resource("x:/a/../b")]))).toBe(
      "audit denied-by-rule by tools/d/d",
    );
  });

  test("is the same for a template", () => {
    const seen = (...rules: Parameters<typeof policyDocument>[1]): boolean =>
      isVisible(serverWith(policyDocument("p", rules)), READER, template("x:/../{a}"));
    expect([seen(reads("*")), seen(reads("x:/../{a}")), seen(reads("x:/*"))]).toEqual([true, true, false]);
    expect(seen(reads("*"), deny("d", FROM_ANYONE, { resources: ["y:/z"] }))).toBe(false);
  });
});

describe("seesAll()", () => {
  const ALL = { tools: ["*"], prompts: ["*"], resources: ["*"], methods: ["*"] };
  const sees = (...rules: Parameters<typeof policyDocument>[1]): boolean =>
    seesAll(serverWith(policyDocument("p", rules)), READER);

  test("is true when every tool, prompt, resource and method is granted", () => {
    expect(sees(allow("a", FROM_READER, ALL))).toBe(true);
    expect(sees(allow("a", FROM_READER, { ...ALL, methods: GRANTABLE_METHODS }))).toBe(true);
    expect(
      sees(...Object.entries(ALL).map(([kind, patterns], i) => allow(`a${i}`, FROM_READER, { [kind]: patterns }))),
    ).toBe(true);
  });

  test.each(Object.keys(ALL))("is false without a grant of all %s", (kind) => {
    for (const patterns of [["a*", "b*"], ["a"], ["*a*"]]) {
      const to = { ...ALL, [kind]: kind === "methods" ? ["tools/*"] : patterns };
      expect(sees(allow("a", FROM_READER, to))).toBe(false);
    }
    const { [kind as keyof typeof ALL]: _, ...others } = ALL;
    expect(sees(allow("a", FROM_READER, others))).toBe(false);
  });

  test.each(GRANTABLE_METHODS)("is false without %s, or when that is denied", (name) => {
    const methods = GRANTABLE_METHODS.filter((one) => one !== name);
    expect(sees(allow("a", FROM_READER, { ...ALL, methods }))).toBe(false);
    expect(sees(allow("a", FROM_READER, ALL), deny("d", FROM_READER, { methods: [name] }))).toBe(false);
  });

  test.each([{ tools: ["secret"] }, { prompts: ["p"] }, { resources: ["x:/a"] }])(
    "is false when one name is denied, however much is allowed: %j",
    (to) => {
      expect(sees(allow("a", FROM_READER, ALL), deny("d", FROM_ANYONE, to))).toBe(false);
      expect(sees(allow("a", FROM_READER, ALL), deny("d", { jwt: { issuer: ISSUER } }, to))).toBe(true);
    },
  );

  test("is about one caller, and about what Enforce hides", () => {
    expect(seesAll(serverWith(policyDocument("p", [allow("a", FROM_READER, ALL)])), WRITER)).toBe(false);
    const audit = policyDocument("p", [allow("a", FROM_READER, { tools: ["x"] })], { mode: "Audit" });
    expect(seesAll(serverWith(audit), READER)).toBe(true);
    expect(seesAll(serverWith(), READER)).toBe(false);
  });

  test("is false where everything is denied because a document cannot be used", () => {
    const all = policyDocument("p", [allow("a", FROM_READER, ALL)]);
    const [server] = compiled([serverDocument(), all], [{ name: "x", targets: "all", matches: [] }]).policies.servers;
    expect(server && seesAll(server, READER)).toBe(false);
  });
});

describe("decide() with a policy that could not be used", () => {
  const invalid = [{ name: "MCPAccessPolicy tools/bad", targets: ["tools/everything"], matches: [] }];

  test("denies everything about its servers, and shows nothing", () => {
    for (const mode of ["Enforce", "Audit"] as const) {
      const { policies } = compiled(
        [serverDocument(), policyDocument("p", [allow("all", FROM_ANYONE, { tools: ["*"] })], { mode })],
        invalid,
      );
      const [server] = policies.servers;
      expect(server && ask(server, READER, toolCall("echo"))).toBe("deny invalid-policy by toolgate/invalid-policy");
      expect(server && ask(server, READER, baseCall("initialize"))).toBe(
        "deny invalid-policy by toolgate/invalid-policy",
      );
      expect(server && isVisible(server, READER, tool("echo"))).toBe(false);
    }
  });
});

describe("permitUnmatched()", () => {
  test("names the option that lets it through", () => {
    expect(permitUnmatched()).toEqual({ rule: { policy: "toolgate", rule: "unmatched-pass" }, audited: undefined });
  });
});
