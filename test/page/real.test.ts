/** The page of a Toolgate behind a real Envoy: what it shows are the calls that were made. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Canary } from "../envoy/canary.ts";
import { freePort } from "../envoy/free-port.ts";
import { ask, callTool, rpc } from "../envoy/http.ts";
import { CANARY_POLICIES, policyFor } from "../envoy/policies.ts";
import { describeWithEnvoy } from "../envoy/real-envoy.ts";
import { startStack } from "../envoy/stack.ts";
import type { Stack } from "../envoy/stack.ts";
import { until } from "../fixtures/until.ts";
import { describeWithChromium, expectAccessible, launch, openTab } from "./browser.ts";

let browser: Browser;
let canary: Canary;
beforeAll(async () => {
  browser = await launch();
  canary = await Canary.start();
});
afterAll(async () => {
  await browser.close();
  await canary[Symbol.asyncDispose]();
});

const ON_TRIAL = policyFor("auditor", '[{ tools: ["allowed-two"] }]', { mode: "Audit", action: "Deny" });
const POLICIES = [CANARY_POLICIES, ON_TRIAL.replaceAll("values: [auditor]", "values: [reader]")].join("---");

/** Calls with an answer each, so that all are counted when it resolves. */
async function makeCalls(stack: Stack): Promise<void> {
  const [reader, admin] = [await stack.token("reader"), await stack.token("admin")];
  const call = (token: string | undefined, body: string) =>
    ask(stack.gateway.url, { ...(token === undefined ? {} : { token }), body });
  // Before a list has named them, tools that no policy names are one: a caller could have made them up.
  await call(admin, rpc("tools/list"));
  for (let i = 0; i < 5; i++) await call(reader, callTool("allowed-one"));
  for (let i = 0; i < 2; i++) await call(reader, callTool("allowed-two"));
  for (let i = 0; i < 3; i++) await call(reader, callTool("secret"));
  for (let i = 0; i < 4; i++) await call(admin, callTool("allowed-one"));
  await call(undefined, callTool("allowed-one"));
}

const panel = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
const rowsOf = async (page: Page, name: string): Promise<readonly string[]> =>
  (await panel(page, name).locator("tbody tr").allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ").trim());
const adminOf = ({ toolgate }: Stack): string =>
  `http://${String(toolgate.log.find(({ msg }) => msg === "ready")?.["adminListen"])}`;

describeWithEnvoy("behind a real Envoy", () => {
  describeWithChromium("the page", () => {
    test("shows nothing, then each call once: by caller, tool, rule and how it ended, and what was refused and why", async () => {
      await using stack = await startStack({ policies: POLICIES, upstreamPort: canary.port });
      await using tab = await openTab(browser, { realClock: true });
      const { page } = tab;
      await page.goto(adminOf(stack));
      await page.getByText(`Toolgate waits for Envoy at 127.0.0.1:${stack.toolgate.port}`).waitFor();
      await makeCalls(stack);
      await page.getByText("16 in the last minute").waitFor();
      expect(await rowsOf(page, "Policy")).toStrictEqual(
        expect.arrayContaining([
          expect.stringMatching(/^reader-rule tools\/for-reader Allow \d+ \d+ 0 0$/),
          expect.stringMatching(/^auditor-rule tools\/for-auditor Deny Audit 2 0 0 2$/),
        ]),
      );
      const denied = panel(page, "Denied").locator("li.refusal");
      const texts = (await denied.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " "));
      expect(texts.filter((text) => text.includes("secret") && text.includes("3 times"))).toHaveLength(1);
      const line = await stack.toolgate.decision({ tool: "secret" });
      const told = await denied.filter({ hasText: "secret" }).locator("blockquote").textContent();
      expect(told).toBe(line["sentence"]);
      expect(
        (await ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("secret") })).text,
      ).toContain(JSON.stringify(told).slice(1, -1));
      await panel(page, "Who calls what").getByRole("button", { name: "As a table" }).click();
      // Each question has its own moment: the last call may be in one answer and not in the next.
      await until(async () => {
        const flows = await rowsOf(page, "Who calls what");
        expect(flows).toContainEqual(expect.stringMatching(/^reader jwt tools\/canary allowed-one .* 100 % 0 0$/));
        expect(flows).toContainEqual(expect.stringMatching(/^admin jwt tools\/canary allowed-one .* 100 % 0 0$/));
        expect(flows).toContainEqual(
          expect.stringMatching(/^anonymous anonymous:no-certificate, jwt-missing tools\/canary .* – 0 1$/),
        );
      });
      await expectAccessible(page);
      expect(tab.complaints).toStrictEqual([]);
    });

    test("says that Toolgate is gone, and that another one has begun to count", async () => {
      const flags = ["--admin-listen", `127.0.0.1:${await freePort()}`];
      await using stack = await startStack({ policies: POLICIES, upstreamPort: canary.port, flags });
      await using tab = await openTab(browser, { realClock: true });
      const { page } = tab;
      await page.goto(adminOf(stack));
      await makeCalls(stack);
      await page.getByText("16 in the last minute").waitFor();
      await stack.toolgate.kill();
      await page.getByText(/^Toolgate is not answering\. Last data of .*, trying again\.$/).waitFor();
      expect(await panel(page, "Traffic").innerText()).toContain("16 in the last minute");
      await stack.toolgate.restart();
      await page.getByText(/^Toolgate was started anew at .*: counts begin there\.$/).waitFor();
      await makeCalls(stack);
      await page.getByText("16 in the last minute").waitFor();
    });
  });
});
