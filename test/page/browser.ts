/** A real Chromium. Without one these tests are skipped, and say so; in CI that is a failure. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type Axe from "axe-core";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { describe, expect } from "vitest";
import { NOW_MS } from "./worlds.ts";

const PATHS = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const path = PATHS.find((candidate) => candidate !== undefined && existsSync(candidate));
const MISSING = "no Chromium is installed: apt-get install chromium, or set CHROMIUM to its path";
if (path === undefined && process.env["CI"]) throw new Error(MISSING);
if (path === undefined) process.stderr.write(`SKIPPED, every test of the page in a browser: ${MISSING}\n`);

export const describeWithChromium = describe.skipIf(path === undefined);

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: path ?? "", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });

/** A tab that remembers all that it complained of. */
export type Tab = AsyncDisposable & { readonly page: Page; readonly complaints: readonly string[] };

/** The page's clock begins at the time of the canned answers, and runs. */
export async function openTab(
  browser: Browser,
  options: BrowserContextOptions & { readonly realClock?: true } = {},
): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, timezoneId: "UTC", ...options });
  const page = await context.newPage();
  if (options.realClock !== true) await page.clock.install({ time: NOW_MS });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(() =>
    addEventListener(
      "securitypolicyviolation",
      ({ violatedDirective, blockedURI }) =>
        console.error(`content security policy: ${violatedDirective} ${blockedURI}`), // eslint-disable-line no-console
    ),
  );
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** No violation of WCAG 2.1 A and AA, contrast and roles among them. */
export async function expectAccessible(page: Page): Promise<void> {
  // By the debugger, which the content security policy does not bind.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as { axe: typeof Axe };
    const found = await checker.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
    return found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`,
    );
  });
  expect(violations).toStrictEqual([]);
}
