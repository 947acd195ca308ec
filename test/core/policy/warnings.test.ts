import { describe, expect, test } from "vitest";
import {
  allow,
  compiled,
  deny,
  FROM_ANYONE,
  FROM_READER,
  policyDocument,
  serverDocument,
} from "../../fixtures/policies.ts";

const warningsOf = (...documents: Parameters<typeof compiled>[0]): string[] =>
  compiled(documents).warnings.map(({ document, path, message }) => `${document}: ${path} ${message}`);
const warningsOfRules = (...rules: Parameters<typeof policyDocument>[1]): string[] =>
  warningsOf(serverDocument(), policyDocument("p", rules));

const ECHO = allow("echo", FROM_READER, { tools: ["echo"] });

describe("compile() warns", () => {
  test("of nothing that is meant", () => {
    expect(warningsOfRules(ECHO, deny("d", FROM_READER, { tools: ["*"] }))).toEqual([]);
  });

  test("of a server that no policy names", () => {
    expect(warningsOf(serverDocument())).toEqual([
      "MCPServer tools/everything: metadata.name no policy names this server: every request to it is refused",
    ]);
  });

  test("but not when a document that could not be used is about it", () => {
    expect(compiled([serverDocument()], [{ name: "x", targets: ["tools/everything"], matches: [] }]).warnings).toEqual(
      [],
    );
    expect(compiled([serverDocument()], [{ name: "x", targets: "all", matches: [] }]).warnings).toEqual([]);
  });

  test("of a server that is not there", () => {
    expect(warningsOf(serverDocument(), policyDocument("p", [ECHO], { targets: ["everything", "nobody"] }))).toEqual([
      "MCPAccessPolicy tools/p: spec.targetRefs[1] there is no MCPServer tools/nobody: these rules can never match",
    ]);
  });

  test("of two workloads in one entry", () => {
    const message =
      "MCPAccessPolicy tools/p: spec.rules[0].from[0] can never match: spiffe and serviceAccount are two workloads";
    const withSpiffe = (spiffe: string): string[] =>
      warningsOfRules(allow("a", { ...FROM_READER, spiffe }, { tools: ["echo"] }));
    expect(withSpiffe("spiffe://cluster.local/ns/agents/sa/writer")).toEqual([message]);
    expect(withSpiffe("spiffe://cluster.local/ns/other/*")).toEqual([message]);
    expect(withSpiffe("spiffe://cluster.local/ns/agents/sa/reader")).toEqual([]);
  });

  test("of a certificate's own name beside a SPIFFE ID, which leaves it none", () => {
    const from = { certificate: { dns: "a.example" } };
    const message = "can never match: a certificate has its own name only where it has no SPIFFE ID";
    const warned = [`MCPAccessPolicy tools/p: spec.rules[0].from[0] ${message}`];
    expect(warningsOfRules(allow("a", { ...FROM_READER, ...from }, { tools: ["echo"] }))).toEqual(warned);
    expect(warningsOfRules(allow("a", { spiffe: "spiffe://*", ...from }, { tools: ["echo"] }))).toEqual(warned);
    expect(warningsOfRules(allow("a", from, { tools: ["echo"] }))).toEqual([]);
  });

  test.each(["spiffe://cluster.local/*", "spiffe://*", "spiffe://cluster.local/ns/agents/*", "spiffe://*/sa/reader"])(
    "but not when the pattern %s leaves room for the service account",
    (spiffe) => {
      expect(warningsOfRules(allow("a", { ...FROM_READER, spiffe }, { tools: ["echo"] }))).toEqual([]);
    },
  );

  test("of names that are refused before any rule is asked", () => {
    expect(
      warningsOfRules(
        allow(
          "a",
          FROM_READER,
          { tools: ["ok", "a\nb"], prompts: ["x".repeat(257)] },
          { resources: ["x:/a", "x:/../*", "x:/a/../b", "x:/\u007f"] },
        ),
      ),
    ).toEqual([
      "MCPAccessPolicy tools/p: spec.rules[0].to[0].tools[1] can never match: such a name is refused, since it holds a control character",
      "MCPAccessPolicy tools/p: spec.rules[0].to[0].prompts[0] can never match: such a name is refused, since it is longer than 256 bytes",
      "MCPAccessPolicy tools/p: spec.rules[0].to[1].resources[3] can never match: such a name is refused, since it holds a control character",
    ]);
  });

  test("of methods that a name grants, in an Allow rule", () => {
    const methods = ["tools/call", "completion/complete", "resources/read", "*"];
    const warned = "MCPAccessPolicy tools/p: spec.rules[0].to[0]";
    expect(warningsOfRules(allow("a", FROM_READER, { methods }))).toEqual([
      `${warned}.methods[0] grants nothing: tools/call is granted by tools, which names them`,
      `${warned}.methods[2] grants nothing: resources/read is granted by resources, which names them`,
    ]);
  });

  test("of an Allow rule of which a Deny rule leaves nothing", () => {
    const message =
      "MCPAccessPolicy tools/p: spec.rules[0] can never match: policy tools/p denies all of it to everyone";
    const denied = deny("d", FROM_ANYONE, { tools: ["e*"] });
    expect(warningsOfRules(ECHO, denied)).toEqual([message]);
    expect(warningsOfRules(allow("a", FROM_READER, { tools: ["echo"], prompts: ["p"] }), denied)).toEqual([]);
    expect(warningsOfRules(allow("a", FROM_READER, { tools: ["*"] }), denied)).toEqual([]);
    expect(warningsOfRules(ECHO, deny("d", FROM_READER, { tools: ["*"] }))).toEqual([]);
    expect(warningsOfRules(ECHO, deny("d", FROM_ANYONE, { prompts: ["*"] }))).toEqual([]);
    expect(warningsOfRules(ECHO, deny("d", { anyone: true, jwt: { issuer: "i" } }, { tools: ["*"] }))).toEqual([]);
  });

  test("but not when that rule is on trial, or on other servers", () => {
    const denied = [deny("d", FROM_ANYONE, { tools: ["*"] })];
    const shadow = (options: Parameters<typeof policyDocument>[2]): string[] =>
      warningsOf(
        serverDocument(),
        serverDocument("other", [{ path: "/other" }]),
        policyDocument("p", [ECHO], { targets: ["everything", "other"] }),
        policyDocument("q", denied, options),
      );
    expect(shadow({ targets: ["everything", "other"] })).toHaveLength(1);
    expect(shadow({ targets: ["everything", "other"], mode: "Audit" })).toEqual([]);
    expect(shadow({ targets: ["everything"] })).toEqual([]);
  });
});
