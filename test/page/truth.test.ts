/** What the page shows of 5,000 calls whose ends are known is what they were: see test/truth. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithEnvoy } from "../envoy/real-envoy.ts";
import type { Stack } from "../envoy/stack.ts";
import { play, records } from "../truth/play.ts";
import type { OnRecord } from "../truth/script.ts";
import { countBy, nameOf, sumsOf } from "../truth/sums.ts";
import { describeWithChromium, launch, openTab } from "./browser.ts";
import type { Tab } from "./browser.ts";

const panel = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
const cellsOf = async (page: Page, name: string): Promise<readonly (readonly string[])[]> =>
  Promise.all((await panel(page, name).locator("tbody tr").all()).map((row) => row.locator("th, td").allInnerTexts()));
const adminOf = ({ toolgate }: Stack): string =>
  `http://${String(toolgate.log.find(({ msg }) => msg === "ready")?.["adminListen"])}`;

const isDenied = ({ outcome }: OnRecord): boolean => outcome === "denied";
const isServerFault = (code = 0): boolean => code === -32_603 || (code <= -32_000 && code >= -32_019);
const isAnswered = ({ outcome }: OnRecord): boolean => !["denied", "cancelled", "unread"].includes(outcome);
const isError = ({ outcome, code, method }: OnRecord): boolean =>
  ["tool_error", "timeout", "transport_error"].includes(outcome) ||
  (outcome === "rpc_error" && method !== "server/discover" && isServerFault(code));

describeWithEnvoy("of 5,000 calls whose ends are known", () => {
  describeWithChromium("the page", () => {
    let browser: Browser;
    let stack: Stack;
    let tab: Tab;
    beforeAll(async () => {
      browser = await launch();
      stack = await play();
      tab = await openTab(browser, { realClock: true });
      await tab.page.goto(adminOf(stack));
      await tab.page.getByRole("button", { name: "5 min", exact: true }).click();
      await tab.page.getByText(`${records.length} in the last 5 minutes`).waitFor();
    }, 120_000);
    afterAll(async () => {
      await tab[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
      await browser.close();
    });

    const answered = records.filter(isAnswered);
    const success = Math.floor(10_000 * (1 - answered.filter(isError).length / answered.length)) / 100;

    test.each([
      ["Success", ".tile-note", `of ${answered.length} answered`],
      ["Success", ".tile-value", `${success.toFixed(1)} %`],
      ["Calls", ".tile-note", `${records.length} in the last 5 minutes`],
      ["Errors", ".tile-value", String(records.filter(isError).length)],
      ["Denied", ".tile-value", String(records.filter(isDenied).length)],
      ["Would be denied", ".tile-value", String(records.filter(({ decision }) => decision === "audit").length)],
    ])("has their sum in %s", async (label, part, expected) => {
      const tile = panel(tab.page, "Traffic")
        .getByRole("listitem")
        .filter({ has: tab.page.getByText(label, { exact: true }) });
      expect(await tile.locator(part).innerText()).toBe(expected);
    });

    test("has the errors and refusals of each tool", async () => {
      await panel(tab.page, "Signals")
        .getByRole("button", { name: /^Show all/ })
        .click();
      const shown = (await cellsOf(tab.page, "Signals")).flatMap(([name, server, , , , errors, , denied]) => [
        [{ name, server, column: "errors" }, Number(errors)] as const,
        [{ name, server, column: "denied" }, Number(denied)] as const,
      ]);
      const of = records.filter(({ method }) => method.startsWith("tools/"));
      const columnOf = (record: OnRecord): string | undefined =>
        isDenied(record) ? "denied" : record.outcome === "tool_error" ? "errors" : undefined;
      expect(sumsOf(shown)).toEqual(
        countBy(of, (record) => {
          const column = columnOf(record);
          const server = record.server ?? "_unknown";
          return column === undefined ? undefined : { name: nameOf(record) ?? record.method, server, column };
        }),
      );
    });

    test("has what each rule has decided", async () => {
      const shown = (await cellsOf(tab.page, "Policy")).map(
        ([rule = "", policy = "", , hits]) => [{ rule, policy }, Number(hits)] as const,
      );
      const written = records.filter(({ policy }) => policy !== "toolgate");
      expect(sumsOf(shown)).toEqual(countBy(written, ({ rule, policy }) => ({ rule, policy })));
    });

    test("complains of nothing", () => {
      expect(tab.complaints).toStrictEqual([]);
    });
  });
});
