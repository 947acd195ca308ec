/** Every query of the dashboards and rules, asked of a real Prometheus that scrapes the demo while its agents are at work. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DemoProcess, freePorts } from "../../envoy/demo-process.ts";
import { ENVOY_PATH } from "../../envoy/real-envoy.ts";
import { EXPRESSIONS, filledIn } from "../expressions.ts";
import { Prometheus, describeWithPrometheus } from "./prometheus.ts";

/** Empty while nothing is wrong, or where there is no TLS; docs/monitoring.md says so. */
const ONLY_IN_TROUBLE = /: (Answers withheld|Labels that overflow|Certificate ends) \d/;

const isData = (value: string): boolean => value !== "NaN" && !value.endsWith("Inf");

let demo: DemoProcess;
let prometheus: Prometheus;

describeWithPrometheus("while the agents of the demo are at work", () => {
  beforeAll(async () => {
    const { flags, admin } = await freePorts();
    demo = new DemoProcess([...flags, "--load"], { ENVOY: ENVOY_PATH });
    await demo.says("Agents are at work");
    prometheus = await Prometheus.start(`127.0.0.1:${admin}`);
  });
  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
    await demo[Symbol.asyncDispose]();
  });

  const asked = EXPRESSIONS.filter(({ of, kind }) => kind !== "alert" && !ONLY_IN_TROUBLE.test(of));

  /** At the ebb of its wave, an agent takes more than a minute to do each of its deeds once. */
  const RAREST_MS = 240_000;

  test("every panel and every recorded series has data", { timeout: RAREST_MS + 20_000 }, async () => {
    const waiting = new Map(asked.map(({ of, expr }) => [of, filledIn(expr)]));
    const deadline = AbortSignal.timeout(RAREST_MS);
    while (waiting.size > 0 && !deadline.aborted) {
      for (const [of, expr] of waiting) {
        const samples = await prometheus.query(expr);
        if (samples.some(({ value: [, value] }) => isData(value))) waiting.delete(of);
      }
      await sleep(500);
    }
    expect([...waiting]).toEqual([]);
  });

  test("what is empty while all is well can be asked, and is empty", async () => {
    const others = EXPRESSIONS.filter(({ of }) => ONLY_IN_TROUBLE.test(of));
    expect(others.length).toBe(3);
    for (const { expr } of others) expect(await prometheus.query(filledIn(expr))).toEqual([]);
  });

  test("every rule is evaluated without an error, and no alert fires but of rules on trial", async () => {
    const firing = () => prometheus.query('count by (alertname) (ALERTS{alertstate="firing"})');
    // Each has its turn.
    await prometheus.program.until("an evaluation of every rule, and an alert", async () =>
      (await prometheus.unhealthyRules()).length === 0 && (await firing()).length > 0 ? true : undefined,
    );
    expect(await prometheus.unhealthyRules()).toEqual([]);
    expect((await firing()).map(({ metric }) => metric["alertname"])).toEqual(["ToolgateWouldDeny"]);
  });
});
