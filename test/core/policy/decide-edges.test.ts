import { describe, expect, test } from "vitest";
import type { Call } from "../../../src/core/mcp/call.ts";
import { decide } from "../../../src/core/policy/decide.ts";
import type { Server } from "../../../src/core/policy/policy-set.ts";
import { READER } from "../../fixtures/identities.ts";
import { allow, deny, FROM_ANYONE, FROM_READER, policyDocument, serverWith } from "../../fixtures/policies.ts";
import { callOf, method, prompt, toolCall } from "../../fixtures/subjects.ts";

/** The verdict and the rule that it names; of a permit, the one that would have refused it. */
function ask(server: Server, call: Call): string {
  const decision = decide(server, READER, call);
  if (decision.verdict === "deny") return `deny by ${decision.denial.rule.rule}`;
  const { audited, rule } = decision.permit;
  return audited === undefined ? `allow by ${rule.rule}` : `audit by ${audited.rule.rule}`;
}

describe("decide() with several subjects, of which one is refused on trial", () => {
  const call = callOf("completion/complete", [prompt("p"), method("completion/complete")]);
  const turned = callOf("completion/complete", [method("completion/complete"), prompt("p")]);
  const allowPrompt = allow("prompt", FROM_READER, { prompts: ["p"] });
  const denyPrompt = deny("no-prompt", FROM_ANYONE, { prompts: ["p"] });
  const denyMethod = deny("no-method", FROM_ANYONE, { methods: ["completion/complete"] });
  const allowMethod = allow("method", FROM_READER, { methods: ["completion/complete"] });

  test("still refuses for another that no rule allows", () => {
    const server = serverWith(
      policyDocument("p", [allowPrompt]),
      policyDocument("trial", [denyPrompt], { mode: "Audit" }),
    );
    expect([ask(server, call), ask(server, turned)]).toEqual(["deny by default-deny", "deny by default-deny"]);
  });

  test("still refuses for another that a Deny rule in force refuses", () => {
    const server = serverWith(
      policyDocument("p", [allowPrompt, allowMethod, denyMethod]),
      policyDocument("trial", [denyPrompt], { mode: "Audit" }),
    );
    expect([ask(server, call), ask(server, turned)]).toEqual(["deny by no-method", "deny by no-method"]);
  });

  test("names the first of two that are refused on trial", () => {
    const server = serverWith(
      policyDocument("p", [allowPrompt, allowMethod]),
      policyDocument("trial", [denyPrompt, denyMethod], { mode: "Audit" }),
    );
    expect([ask(server, call), ask(server, turned)]).toEqual(["audit by no-prompt", "audit by no-method"]);
  });
});

describe("decide() about a tool whose name looks like a template", () => {
  test("allows it by the rule that is written for it", () => {
    const server = serverWith(policyDocument("p", [allow("braces", FROM_READER, { tools: ["get-{name}"] })]));
    expect(ask(server, toolCall("get-{name}"))).toBe("allow by braces");
    expect(ask(server, toolCall("get-x"))).toBe("deny by default-deny");
  });

  test("denies it by the rule that is written for it, and by no rule for what it could be expanded to", () => {
    const all = allow("all", FROM_READER, { tools: ["*"] });
    const denies = (name: string): Server =>
      serverWith(policyDocument("p", [all, deny("no", FROM_READER, { tools: [name] })]));
    expect(ask(denies("get-{name}"), toolCall("get-{name}"))).toBe("deny by no");
    expect(ask(denies("get-secret"), toolCall("get-{name}"))).toBe("allow by all");
  });
});
