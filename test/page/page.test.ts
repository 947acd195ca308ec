/** The page in a real Chromium: what it shows in each situation, and that it never complains, nor axe of it. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithChromium, expectAccessible, launch, openTab } from "./browser.ts";
import type { Tab } from "./browser.ts";
import type { World } from "./fixtures.ts";
import { PageServer } from "./page-server.ts";
import { smallPng } from "./small-png.ts";
import { HOSTILE, NOW_MS, demo, hostile, many, nothing, refusals } from "./worlds.ts";

let browser: Browser;
beforeAll(async () => void (browser = await launch()));
afterAll(() => browser.close());

type Opened = AsyncDisposable & Pick<Tab, "page" | "complaints"> & { readonly server: PageServer };

/** The page with its first answers. */
async function open(world: World, options: BrowserContextOptions & { readonly hash?: string } = {}): Promise<Opened> {
  const { hash = "", ...context } = options;
  const server = await PageServer.start(world);
  const tab = await openTab(browser, context);
  await tab.page.goto(server.url + hash);
  await tab.page.locator("main.known").waitFor();
  return {
    ...tab,
    server,
    async [Symbol.asyncDispose]() {
      await tab[Symbol.asyncDispose]();
      await server.down();
    },
  };
}

const panel = (page: Page, name: string): Locator => page.getByRole("region", { name, exact: true });
const texts = async (rows: Locator): Promise<readonly string[]> =>
  (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ").trim());
const tile = async (page: Page, label: string): Promise<string> =>
  (await texts(page.getByRole("list", { name: "Signals" }).getByRole("listitem").filter({ hasText: label })))[0] ?? "";
/** The first row of the table is that of the headings. */
const rowsOf = (page: Page, name: string): Promise<readonly string[]> => texts(panel(page, name).locator("tbody tr"));
/** As wide as the window: nothing is cut off, nothing has to be pushed. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
/** A jump: clock.runFor would go through all its seconds while a real answer is under way, and the page would give it up. */
const pollAgain = (page: Page): Promise<void> => page.clock.fastForward(2_100);
/** Past the longest pause between two questions while nobody answers. */
const pollAtLast = (page: Page): Promise<void> => page.clock.fastForward(12_000);

describeWithChromium("with traffic", () => {
  test("it says how much, how well, how fast, and what was refused", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    expect(await tile(page, "Calls")).toBe("Calls 16/s 985 in the last minute");
    expect(await tile(page, "Success")).toBe("Success 98.3 % of 961 answered");
    expect(await tile(page, "Errors")).toBe("Errors 16 of servers and tools");
    expect(await tile(page, "Slowest p95")).toBe("Slowest p95 4.2 s trigger-long-running-operation");
    expect(await tile(page, "Denied")).toBe("Denied 24 2.4 % of calls");
    expect(await tile(page, "Would be denied")).toBe("Would be denied 18 by policies in audit mode");
    expect(await tile(page, "Open streams")).toBe("Open streams 4 7 calls in flight");
    await expectAccessible(page);
    expect(opened.complaints).toStrictEqual([]);
  });

  test("it has the golden signals of each tool, the busiest first, and another order at a click", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    const rows = await rowsOf(page, "Signals");
    expect(rows).toHaveLength(8);
    expect(rows[0]).toMatch(/^echo tools\/everything 6\.9 .*100 % 0 0 0 10 ms 24 ms 38 ms$/);
    expect(rows[1]).toMatch(/^search search\/web 4\.1 .*95\.4 % 5 4 6 124 ms 310 ms 496 ms$/);
    const p95 = panel(page, "Signals").getByRole("columnheader", { name: "p95" });
    expect(await p95.getAttribute("aria-sort")).toBe("none");
    await p95.getByRole("button").click();
    expect(await p95.getAttribute("aria-sort")).toBe("descending");
    expect((await rowsOf(page, "Signals"))[0]).toMatch(/^trigger-long-running-operation/);
    expect((await rowsOf(page, "Signals")).at(-1)).toMatch(/^get-env .* – – –$/);
    await p95.getByRole("button").click();
    expect(await p95.getAttribute("aria-sort")).toBe("ascending");
    expect((await rowsOf(page, "Signals"))[0]).toMatch(/^echo/);
    await panel(page, "Signals").getByRole("button", { name: "Servers" }).click();
    expect(await rowsOf(page, "Signals")).toHaveLength(3);
    await panel(page, "Signals").getByRole("button", { name: "Prompts" }).click();
    expect(await panel(page, "Signals").innerText()).toContain("No prompt has been asked for yet.");
    expect(opened.complaints).toStrictEqual([]);
  });

  test("it says what a name without a name is", async () => {
    const flow = { caller: "alice", server: "tools/files", tool: "_unknown", requests: 6 };
    await using opened = await open({ ...demo, flows: [flow] });
    expect(await panel(opened.page, "Signals").locator(".about").innerText()).toMatch(
      /^_unknown: names that no policy/,
    );
  });

  test("it draws who calls what, a strand for each way that calls end, and has the same as a table", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    const picture = panel(page, "Who calls what");
    const node = (list: string): Promise<readonly string[]> =>
      texts(picture.getByRole("list", { name: list }).getByRole("listitem"));
    expect(await node("Servers")).toStrictEqual([
      "tools/everything 9.0/s , 3 errors, 14 denied",
      "search/web 4.5/s , 13 errors, 6 denied",
      "tools/files 2.9/s , 4 denied",
    ]);
    expect(await node("Callers")).toContain("anonymous anonymous:jwt-missing 0.10/s , 6 denied");
    expect(await node("Tools")).toHaveLength(8);
    const strands = (look: string): Promise<number> => picture.locator(`path.strand.${look}`).count();
    // Callers to servers, then servers to tools.
    expect(await strands("ok")).toBe(6 + 7);
    expect(await strands("errors")).toBe(3 + 3);
    expect(await strands("denied")).toBe(3 + 3);
    const dashes = await picture
      .locator("path.strand")
      .evaluateAll((paths) => [
        ...new Set(paths.map((path) => `${getComputedStyle(path).stroke} ${getComputedStyle(path).strokeDasharray}`)),
      ]);
    expect(dashes).toHaveLength(3);
    expect(new Set(dashes.map((each) => each.replace(/^rgb\(.*?\)/, ""))).size).toBe(3);
    await picture.getByRole("button", { name: "As a table" }).click();
    expect(await rowsOf(page, "Who calls what")).toHaveLength(10);
    expect((await rowsOf(page, "Who calls what"))[0]).toBe("agents/reader spiffe tools/everything echo 6.9 100 % 0 0");
    await expectAccessible(page);
    expect(opened.complaints).toStrictEqual([]);
  });

  test("it lights up what a name has to do with", async () => {
    await using opened = await open(demo);
    const picture = panel(opened.page, "Who calls what");
    await picture.getByRole("button", { name: /^anonymous/ }).hover();
    const lit = picture.locator("li.lit .node-name");
    await lit.nth(2).waitFor();
    expect(await lit.allInnerTexts()).toStrictEqual(["anonymous", "search/web", "search"]);
    expect(await picture.locator("path.strand.lit").count()).toBe(1 + 3);
  });

  test("it tells refusals with the sentence and the rule, those that repeat as one", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    const items = panel(page, "Denied").locator("li.refusal");
    expect(await items.count()).toBe(4);
    const first = items.first();
    expect(await first.locator("blockquote").textContent()).toBe(
      "Blocked by policy: rule nobody-reads-the-environment of policy tools/admins denies agents/reader the use of tool get-env on server tools/everything.",
    );
    expect(await first.innerText()).toMatch(
      /agents\/reader → tools\/everything tools\/call get-env\s+2 times\s+\d+ s ago/,
    );
    expect(await first.getByRole("button").innerText()).toBe("tools/admins/nobody-reads-the-environment");
    expect(await items.last().innerText()).toContain("no known server");
    const audited = panel(page, "Would be denied").locator("li.refusal");
    expect(await audited.count()).toBe(1);
    expect(await audited.innerText()).toContain("would be refused by tools/on-trial/no-long-operations");
    expect(await panel(page, "Denied").innerText()).not.toContain("trigger-long-running-operation");
  });

  test("it has the hits of each rule, and finds those that never matched", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    expect(await panel(page, "Policy").locator(".about").innerText()).toBe(
      "4 policies · 6 rules · 1 never matched · generation 3",
    );
    const rows = await rowsOf(page, "Policy");
    expect(rows[0]).toBe("readers-may-read tools/readers Allow 5120 5120 0 0");
    expect(rows).toContain("no-long-operations tools/on-trial Deny Audit 212 0 0 212");
    expect(rows).toContain("interns-may-search never matched search/web Allow 0 0 0 0");
    await panel(page, "Policy").getByRole("button", { name: "Never matched" }).click();
    expect(await rowsOf(page, "Policy")).toStrictEqual(["interns-may-search never matched search/web Allow 0 0 0 0"]);
  });

  test("it has what is open now, and follows", async () => {
    await using opened = await open(demo);
    const { page, server } = opened;
    expect(await rowsOf(page, "Open now")).toStrictEqual(["tools/everything 3 2", "search/web 1 4", "tools/files 0 1"]);
    server.world = { ...demo, streams: [{ server: "search/web", inflight: 0, streams: 9 }] };
    await pollAgain(page);
    await page.getByRole("cell", { name: "9", exact: true }).waitFor();
    expect(await rowsOf(page, "Open now")).toStrictEqual(["search/web 9 0"]);
  });

  test("its charts are read with the arrow keys", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    const slider = page.getByRole("slider", { name: "Calls a second, moment" });
    expect(await slider.getAttribute("aria-valuetext")).toMatch(
      /^12:02:50: denied [0-9.]+, errors [0-9.]+, ok [0-9.]+$/,
    );
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^12:02:40: /);
    await page.keyboard.press("Home");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^11:58:00: /);
    expect(await slider.locator("canvas").count()).toBe(1);
    const painted = await slider.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      return data.some((value) => value > 0);
    });
    expect(painted).toBe(true);
  });
});

describeWithChromium("the filter", () => {
  test("is for all panels, and in the address", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    await page.getByLabel("Filter").fill("files");
    expect(await rowsOf(page, "Signals")).toHaveLength(2);
    expect(
      await panel(page, "Who calls what").getByRole("list", { name: "Servers" }).getByRole("listitem").count(),
    ).toBe(1);
    expect(await panel(page, "Denied").locator("li.refusal").count()).toBe(1);
    expect(await rowsOf(page, "Open now")).toStrictEqual(["tools/files 0 1"]);
    expect(await tile(page, "Calls")).toBe("Calls 2.9/s 177 in the last minute");
    expect(new URL(page.url()).hash).toBe("#filter=files");
    await using shared = await open(demo, { hash: new URL(page.url()).hash });
    expect(await shared.page.getByLabel("Filter").inputValue()).toBe("files");
    expect(await rowsOf(shared.page, "Signals")).toHaveLength(2);
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await rowsOf(page, "Signals")).toHaveLength(8);
    expect(opened.complaints).toStrictEqual([]);
  });

  test("of a caller has the numbers of that caller, and says which are of all", async () => {
    await using opened = await open(demo, { hash: "#filter=caller%3Danonymous" });
    const { page } = opened;
    expect(await tile(page, "Calls")).toBe("Calls 0.10/s 6 in the last minute");
    expect(await tile(page, "Success")).toBe("Success – nothing was answered");
    expect(await rowsOf(page, "Signals")).toHaveLength(1);
    expect(await panel(page, "Traffic").locator(".about").innerText()).toContain("of all callers");
  });

  test("that nothing matches says so in each panel", async () => {
    await using opened = await open(demo, { hash: "#filter=nonesuch" });
    const { page } = opened;
    for (const name of ["Who calls what", "Signals", "Denied", "Would be denied", "Open now", "Policy"])
      expect(await panel(page, name).innerText()).toMatch(/match(?:es)? the filter/);
    await expectAccessible(page);
  });

  test("is set by a click on a name, and taken back by another", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    const name = panel(page, "Signals").getByRole("button", { name: "search", exact: true });
    await name.click();
    expect(await page.getByLabel("Filter").inputValue()).toBe("tool=search");
    expect(await name.getAttribute("aria-pressed")).toBe("true");
    expect(await rowsOf(page, "Signals")).toHaveLength(1);
    await name.click();
    expect(await page.getByLabel("Filter").inputValue()).toBe("");
  });

  test("has a window beside it, which the API is asked for", async () => {
    await using opened = await open(demo);
    const { page, server } = opened;
    await page.getByRole("button", { name: "5 min", exact: true }).click();
    await page.getByText("985 in the last 5 minutes").waitFor();
    expect(server.asked).toContain("/api/stat/tools?window=300");
    expect(new URL(page.url()).hash).toBe("#window=300");
  });
});

describeWithChromium("with nothing yet", () => {
  test("each panel says what would be there, and what to do", async () => {
    await using opened = await open(nothing);
    const { page } = opened;
    expect(await panel(page, "Who calls what").innerText()).toContain(
      "Toolgate waits for Envoy at 127.0.0.1:9002: send an MCP request through it",
    );
    expect(await panel(page, "Signals").innerText()).toContain("No tool has been called yet.");
    expect(await panel(page, "Denied").innerText()).toContain("Nothing was refused yet.");
    expect(await panel(page, "Would be denied").innerText()).toContain("No policy is in audit mode.");
    expect(await panel(page, "Policy").innerText()).toContain("No rule is in force, so nothing passes");
    expect(await panel(page, "Open now").innerText()).toContain("No stream is open");
    expect(await tile(page, "Calls")).toBe("Calls 0/s 0 in the last minute");
    await expectAccessible(page);
    expect(opened.complaints).toStrictEqual([]);
  });

  test("the first call appears without a reload", async () => {
    await using opened = await open(nothing);
    const { page, server } = opened;
    server.world = demo;
    await pollAgain(page);
    await panel(page, "Signals").getByRole("button", { name: "echo", exact: true }).waitFor();
    expect(await panel(page, "Who calls what").locator("path.strand").count()).toBeGreaterThan(0);
    expect(opened.complaints).toStrictEqual([]);
  });
});

describeWithChromium("at 200 tools", () => {
  test("it shows the busiest, says how many more there are, and shows all on demand", async () => {
    await using opened = await open(many);
    const { page } = opened;
    const picture = panel(page, "Who calls what");
    const tools = picture.getByRole("list", { name: "Tools" }).getByRole("listitem");
    expect(await tools.count()).toBe(21);
    expect((await texts(tools)).at(-1)).toMatch(/^180 more tools/);
    expect((await texts(picture.getByRole("list", { name: "Callers" }).getByRole("listitem"))).at(-1)).toMatch(
      /^28 more callers/,
    );
    expect(await rowsOf(page, "Signals")).toHaveLength(25);
    await panel(page, "Signals").getByRole("button", { name: "Show all 200 tools" }).click();
    expect(await rowsOf(page, "Signals")).toHaveLength(200);
    expect(await overflow(page)).toBe(0);
    await expectAccessible(page);
    expect(opened.complaints).toStrictEqual([]);
  });

  test("an update keeps the focus", async () => {
    await using opened = await open(many, { hash: "#window=300" });
    const { page, server } = opened;
    await panel(page, "Signals")
      .getByRole("button", { name: /^Show all/ })
      .click();
    const name = panel(page, "Signals").getByRole("button", { name: "tool-017-with-a-name-of-some-length" });
    await name.focus();
    server.world = { ...many, flows: many.flows.map((flow) => ({ ...flow, requests: flow.requests + 7 })) };
    await pollAgain(page);
    await page.getByText("84.8k in the last 5 minutes").waitFor();
    expect(await name.evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

describeWithChromium("with refusals without end", () => {
  test("it tells a caller that never stops as one line, and all others on demand", async () => {
    await using opened = await open(refusals);
    const { page } = opened;
    const items = panel(page, "Denied").locator("li.refusal");
    expect(await items.count()).toBe(6);
    expect(await items.first().locator(".times").innerText()).toBe("40 times");
    await panel(page, "Denied").getByRole("button", { name: "Show all 61" }).click();
    expect(await items.count()).toBe(61);
    await expectAccessible(page);
  });
});

describeWithChromium("names that are attacks", () => {
  test("are text, and nothing else", async () => {
    await using opened = await open(hostile);
    const { page } = opened;
    await panel(page, "Denied").locator("summary").click();
    await panel(page, "Signals").getByRole("button", { name: HOSTILE }).click();
    expect(await page.getByLabel("Filter").inputValue()).toBe(`tool="${HOSTILE.replaceAll('"', String.raw`\"`)}"`);
    expect(await rowsOf(page, "Signals")).toHaveLength(1);
    expect(await page.locator("img, main script, main style, iframe").count()).toBe(0);
    expect(await page.evaluate(() => "attacked" in globalThis)).toBe(false);
    expect(await panel(page, "Denied").locator("blockquote").textContent()).toBe(`The tool ${HOSTILE} is not allowed.`);
    expect(await panel(page, "Policy").innerText()).toContain(`a.yaml:3 spec.rules[0]: ${HOSTILE}`);
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await panel(page, "Who calls what").innerText()).toContain(String.raw`\u{202e}evil`);
    expect(await overflow(page)).toBe(0);
    await expectAccessible(page);
    expect(opened.complaints).toStrictEqual([]);
  });
});

/** What Chromium itself says of an answer that did not come, or was an error. */
const OF_THE_NETWORK = /^Failed to load resource: /;

describeWithChromium("when the process", () => {
  test("is restarted, the page says that it waits, what is old, that it is back, and that counts begin anew", async () => {
    await using opened = await open(demo);
    const { page, server } = opened;
    const status = page.getByRole("status");
    expect(await status.innerText()).toBe("");
    await server.down();
    await pollAgain(page);
    await page.getByText("Toolgate is not answering.").waitFor();
    expect(await status.innerText()).toMatch(/^Toolgate is not answering\. Last data of 12:0\d:\d\d, trying again\.$/);
    expect(await rowsOf(page, "Signals")).toHaveLength(8);
    await expectAccessible(page);
    server.world = { ...nothing, servers: demo.servers, id: "second", startedAtMs: NOW_MS + 6_000 };
    await server.up();
    await pollAtLast(page);
    await page.getByText("Toolgate was started anew at 12:03:10: counts begin there.").waitFor();
    expect(await status.innerText()).not.toContain("not answering");
    expect(await panel(page, "Signals").innerText()).toContain("No tool has been called yet.");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Understood" }).click();
    expect(await status.innerText()).toBe("");
    expect(opened.complaints.filter((complaint) => !OF_THE_NETWORK.test(complaint))).toStrictEqual([]);
  });

  test("does not answer from the start, the page says that there is no data yet, and then has it", async () => {
    await using server = await PageServer.start(demo);
    await using tab = await openTab(browser);
    await tab.page.route("**/api/**", (route) => route.abort("connectionrefused"));
    await tab.page.goto(server.url);
    await tab.page.getByText("Toolgate is not answering. There is no data yet, trying again.").waitFor();
    await expectAccessible(tab.page);
    await tab.page.unroute("**/api/**");
    await pollAtLast(tab.page);
    await panel(tab.page, "Signals").getByRole("button", { name: "echo", exact: true }).waitFor();
  });

  test("cannot answer one question, the panel says so, the others go on, and it comes back", async () => {
    await using opened = await open(demo);
    const { page, server } = opened;
    server.failing.set("/api/denials", "/api/denials failed: the ring broke");
    await pollAgain(page);
    const problem = "/api/denials answered 500: /api/denials failed: the ring broke";
    await panel(page, "Denied").getByRole("alert").getByText(problem).waitFor();
    expect(await panel(page, "Denied").locator("li.refusal:visible").count()).toBe(0);
    expect(await rowsOf(page, "Signals")).toHaveLength(8);
    await expectAccessible(page);
    server.failing.clear();
    await pollAgain(page);
    await panel(page, "Denied").locator("li.refusal").first().waitFor();
    expect(opened.complaints.filter((complaint) => !OF_THE_NETWORK.test(complaint))).toStrictEqual([]);
  });
});

describeWithChromium("looked at", () => {
  test.each(["light", "dark"] as const)(
    "in %s it has contrast enough, also when names are chosen",
    async (colorScheme) => {
      await using opened = await open(demo, { colorScheme, hash: "#filter=tool%3Decho" });
      await expectAccessible(opened.page);
      const ground = await opened.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      expect(ground).toBe(colorScheme === "light" ? "rgb(244, 245, 248)" : "rgb(14, 17, 22)");
    },
  );

  test("its theme can be chosen, and is remembered", async () => {
    await using opened = await open(demo, { colorScheme: "light" });
    const { page } = opened;
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    await page.getByRole("button", { name: "Theme: auto" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    expect(await ground()).not.toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    expect(await ground()).not.toBe(light);
    await expectAccessible(page);
  });

  test.each([390, 320])("on a phone, %i wide, nothing is cut off", async (width) => {
    await using opened = await open(demo, { viewport: { width, height: 844 }, hasTouch: true, isMobile: true });
    const { page } = opened;
    expect(await overflow(page)).toBe(0);
    for (const table of await page.locator(".table-box:visible").all())
      expect(await table.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    expect((await rowsOf(page, "Signals"))[0]).toBe("echo tools/everything 6.9 100 % 0 24 ms");
    await panel(page, "Signals").getByRole("button", { name: "echo", exact: true }).tap();
    expect(await page.getByLabel("Filter").inputValue()).toBe("tool=echo");
    await expectAccessible(page);
    expect(opened.complaints).toStrictEqual([]);
  });

  test("by those whom motion makes ill, nothing moves", async () => {
    const moving = (page: Page): Promise<number> =>
      page.evaluate(
        () =>
          [...document.querySelectorAll("*")].filter((element) => {
            const { transitionDuration, animationName } = getComputedStyle(element);
            return animationName !== "none" || /[1-9]/.test(transitionDuration);
          }).length,
      );
    await using still = await open(demo, { reducedMotion: "reduce" });
    expect(await moving(still.page)).toBe(0);
    await using other = await open(demo, { reducedMotion: "no-preference" });
    expect(await moving(other.page)).toBeGreaterThan(0);
  });
});

describeWithChromium("with the keyboard alone", () => {
  test("everything is reached in the order in which it is read, and the focus is seen", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    const seen: string[] = [];
    let last = -Infinity;
    const visits = 400;
    for (let i = 0; i < visits; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return undefined;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const panelOf = element.closest("section")?.id ?? (element.closest("header") === null ? "" : "head");
        const panels = [...document.querySelectorAll("section")].map(({ id }) => id);
        return {
          name: `${panelOf}: ${(element.getAttribute("aria-label") ?? element.textContent).trim().slice(0, 40)}`,
          place: panels.indexOf(panelOf),
          isSeen: outlineStyle === "solid" && outlineWidth === "2px",
        };
      });
      if (at === undefined) break;
      expect(at, at.name).toMatchObject({ isSeen: true });
      expect(at.place, at.name).toBeGreaterThanOrEqual(last);
      last = at.place;
      seen.push(at.name);
    }
    expect(seen.length).toBeLessThan(visits);
    expect(seen[0]).toBe(": To the signals");
    for (const name of [
      "head: ",
      "traffic: Calls a second, moment",
      "signals: echo",
      "picture: As a table",
      "denied: The whole decision",
      "policy: Never matched",
    ])
      expect(
        seen.some((each) => each.startsWith(name)),
        name,
      ).toBe(true);
  });

  test("Enter chooses a name, opens a decision and sorts; Space too", async () => {
    await using opened = await open(demo);
    const { page } = opened;
    await panel(page, "Who calls what")
      .getByRole("button", { name: /^agents\/planner/ })
      .focus();
    expect(await panel(page, "Who calls what").locator("li.lit .node-name").allInnerTexts()).toContain("search/web");
    await page.keyboard.press("Enter");
    expect(await page.getByLabel("Filter").inputValue()).toBe("caller=agents/planner");
    await page.keyboard.press("Space");
    expect(await page.getByLabel("Filter").inputValue()).toBe("");
    await panel(page, "Denied").locator("summary").first().focus();
    await page.keyboard.press("Enter");
    expect(await panel(page, "Denied").locator("dl").first().innerText()).toContain(
      "8c7a3a52-0a4d-4b7c-9d6e-2f1f5a0b1c2d",
    );
    await expectAccessible(page);
    await panel(page, "Policy").getByRole("button", { name: "Denied" }).focus();
    await page.keyboard.press("Enter");
    expect((await rowsOf(page, "Policy"))[0]).toMatch(/^nobody-reads-the-environment/);
  });

  test("a link leads to its panel, where reading and the next Tab go on", async () => {
    await using opened = await open(demo, { hash: "#filter=files" });
    const { page } = opened;
    await page.getByRole("link", { name: "Policy" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("#policy-title:focus").waitFor();
    expect(new URL(page.url()).hash).toBe("#at=policy&filter=files");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Never matched");
  });
});

const picture = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
const SCREENSHOTS = [
  { file: "page-light.png", options: { colorScheme: "light" } },
  { file: "page-dark.png", options: { colorScheme: "dark" } },
  { file: "page-phone.png", options: { viewport: { width: 390, height: 844 }, isMobile: true } },
] as const;

describeWithChromium("the screenshots", () => {
  // With UPDATE_SCREENSHOTS they are made anew: fonts differ from machine to machine, so that they are not compared.
  test.each(SCREENSHOTS)("docs/$file is there, and small", async ({ file, options }) => {
    if (process.env["UPDATE_SCREENSHOTS"] !== undefined) {
      await using opened = await open(demo, { reducedMotion: "reduce", ...options });
      await opened.page.locator("canvas").nth(1).waitFor();
      await writeFile(picture(file), smallPng(await opened.page.screenshot({ fullPage: true })));
    }
    expect((await readFile(picture(file))).subarray(1, 4).toString()).toBe("PNG");
    expect((await stat(picture(file))).size).toBeLessThan(300_000);
  });
});
