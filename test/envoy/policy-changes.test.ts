/** Policies while Toolgate runs: an edit counts without a restart, a mistake changes nothing, `Audit` refuses nothing. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { ask, callTool } from "./http.ts";
import { CANARY_POLICIES, CANARY_SERVER, policyFor } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const canary = canaryOfTests();
let stack: Stack;
let reader: string;

const withReader = (to: string, options?: Parameters<typeof policyFor>[2]): string =>
  [CANARY_SERVER, policyFor("reader", to, options)].join("---");

/** Each with one mistake: an unknown field, an action that does not exist, YAML that ends half way. */
const MISTAKES = [
  CANARY_SERVER,
  policyFor("reader", '[{ tool: ["*"] }]'),
  policyFor("admin", '[{ tools: ["*"] }]', { action: "Permit" }),
  "\nkind: [",
].join("---");

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  await stack.toolgate.program.until(what, async () => (await condition()) || undefined);
}

const call = async (name: string): Promise<string> =>
  (await ask(stack.gateway.url, { token: reader, body: callTool(name) })).text;

const mayCall = async (name: string): Promise<boolean> => (await call(name)).includes("done: ");

const apply = async (policies: string, isInForce: () => Promise<boolean>): Promise<void> => {
  await stack.toolgate.edit(policies);
  await until("policies as they were edited", isInForce);
};

const problems = async (): Promise<readonly unknown[]> =>
  (JSON.parse(await stack.toolgate.admin("/api/policies")) as { problems: readonly unknown[] }).problems;

describeWithEnvoy("policies that change while Toolgate runs", () => {
  beforeAll(async () => {
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    reader = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test("a grant that is written down counts for the next call, and one that is taken back too", async () => {
    expect(await mayCall("hidden-one")).toBe(false);
    await apply(withReader('[{ tools: ["*"] }]'), () => mayCall("hidden-one"));
    await apply(CANARY_POLICIES, async () => !(await mayCall("hidden-one")));
    expect(await mayCall("allowed-one")).toBe(true);
  });

  test("three mistakes are three problems, in the log and in /api/policies, and the last good policies stay", async () => {
    await apply(MISTAKES, async () => (await problems()).length > 0);
    const found = await problems();
    const logged = await stack.toolgate.program.until("three errors in the log", () => {
      const errors = stack.toolgate.log.filter(({ level }) => level === "error").map(({ msg }) => String(msg));
      return errors.length < 3 ? undefined : errors;
    });
    expect(found).toHaveLength(3);
    expect(logged).toHaveLength(3);
    expect(logged.join("\n")).toMatch(/policies\.yaml:\d+: .*"tool"[^]*policies\.yaml:\d+: .*"Permit"/);
    expect(await mayCall("allowed-one")).toBe(true);
    expect(await mayCall("hidden-one")).toBe(false);
    await apply(CANARY_POLICIES, async () => (await problems()).length === 0);
  });

  test("with no policy left nothing passes", async () => {
    await apply(CANARY_SERVER, async () => !(await mayCall("allowed-one")));
    expect(await call("allowed-one")).toContain("no rule gives reader access");
    await apply(CANARY_POLICIES, () => mayCall("allowed-one"));
  });

  test("in mode Audit a refused call goes through, and everything says so", async () => {
    const deny = policyFor("reader", "[{ tools: [allowed-two] }]", { mode: "Audit", action: "Deny" });
    const onTrial = deny.replace("name: for-reader", "name: on-trial");
    await stack.toolgate.edit([CANARY_POLICIES, onTrial].join("---"));
    await until("an audited call", async () => {
      expect(await mayCall("allowed-two")).toBe(true);
      return stack.toolgate.decisions.some(({ decision }) => decision === "audit");
    });

    const audited = { policy: "tools/on-trial", rule: "reader-rule", reason: "denied-by-rule" };
    expect(await stack.toolgate.decision({ decision: "audit" })).toMatchObject({
      ...audited,
      mode: "Audit",
      tool: "allowed-two",
      caller: "reader",
      outcome: "ok",
    });
    expect(await stack.gateway.logged({ decision: "audit" })).toMatchObject({
      code: 200,
      tool: "allowed-two",
      caller: "reader",
      rule: "reader-rule",
    });
    const metrics = await stack.toolgate.admin("/metrics");
    const line = metrics.split("\n").find((text) => /^toolgate_authz_decisions_total\{.*decision="audit"/.test(text));
    for (const [name, value] of Object.entries(audited)) expect(line).toContain(`${name}="${value}"`);
    expect(canary.executed.map(({ params }) => params?.["name"])).toContain("allowed-two");
  });
});
