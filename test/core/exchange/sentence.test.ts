import { describe, expect, test } from "vitest";
import { denialSentence } from "../../../src/core/exchange/sentence.ts";
import type { Identity } from "../../../src/core/identity/identity.ts";
import type { Call } from "../../../src/core/mcp/call.ts";
import { decide } from "../../../src/core/policy/decide.ts";
import { ANONYMOUS, READER, user } from "../../fixtures/identities.ts";
import { allow, compiled, deny, FROM_READER, policyDocument, serverDocument } from "../../fixtures/policies.ts";
import { baseCall, callOf, resource, toolCall } from "../../fixtures/subjects.ts";

const policy = policyDocument("p", [
  allow("a", FROM_READER, { tools: ["echo"] }),
  deny("no-env", FROM_READER, { tools: ["get-env"] }),
]);

function sentence(caller: Identity, call: Call, invalid: Parameters<typeof compiled>[1] = []): string {
  const [server] = compiled([serverDocument(), policy], invalid).policies.servers;
  if (server === undefined) throw new Error("the fixture compiles to no server");
  const decision = decide(server, caller, call);
  if (decision.verdict === "allow") throw new Error("the fixture is allowed");
  return denialSentence(decision.denial, server, caller, call);
}

describe("denialSentence() says what was refused, to whom and by which rule", () => {
  test("when no rule allows it", () => {
    expect(sentence(READER, toolCall("other"))).toBe(
      "Blocked by policy: no rule lets agents/reader use tool other on server tools/everything (rule default-deny).",
    );
    expect(sentence(READER, callOf("resources/read", [resource("x:/a")]))).toBe(
      "Blocked by policy: no rule lets agents/reader use resource x:/a on server tools/everything (rule default-deny).",
    );
  });

  test("when a rule denies it", () => {
    expect(sentence(READER, toolCall("get-env"))).toBe(
      "Blocked by policy: rule no-env of policy tools/p denies agents/reader the use of tool get-env on server tools/everything.",
    );
  });

  test("when the caller has no access, with the reason why there is nobody", () => {
    expect(sentence(ANONYMOUS, baseCall("initialize"))).toBe(
      "Blocked by policy: no rule gives anonymous (no-certificate, jwt-missing) access to server tools/everything (rule default-deny).",
    );
    expect(sentence(user({}), toolCall("get-env"))).toBe(
      "Blocked by policy: no rule gives ada access to server tools/everything (rule default-deny).",
    );
  });

  test("when a policy is not valid", () => {
    expect(sentence(READER, toolCall("echo"), [{ name: "x", targets: "all", matches: [] }])).toBe(
      "Blocked: a policy for server tools/everything is not valid, so everything is denied (rule invalid-policy).",
    );
  });
});
