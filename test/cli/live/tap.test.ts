import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { runTap } from "../../../src/cli/live/tap.ts";
import { decisionOf } from "../../../src/telemetry/decision-line.ts";
import { denied, record } from "../../telemetry/records.ts";
import { terminal } from "./terminal.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const event = (line: object): string => `data: ${JSON.stringify(line)}\n\n`;

/** An admin port whose taps a test writes to, and what `toolgate tap` makes of it. */
async function start({ columns, flags = {}, path }: { columns?: number; flags?: object; path?: string } = {}) {
  const taps: ServerResponse[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/api/info") {
      response.end('{"id":"one"}');
      return;
    }
    asked.push(request.url ?? "");
    taps.push(response.writeHead(200, { "content-type": "text/event-stream" }));
    response.write(":\n\n");
  });
  await new Promise<void>((resolve) => void server.listen(path ?? 0, resolve));
  cleanups.push(
    () => new Promise((resolve) => void server.close(resolve)),
    async () => server.closeAllConnections(),
  );
  const admin = path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`;
  const { screen, kept } = terminal(columns);
  const notices = { text: "" };
  const over = new AbortController();
  const complain = { write: (more: string) => void (notices.text += more) };
  const ended = runTap({ admin, output: "table", ...flags }, { screen, complain, signal: over.signal });
  cleanups.push(async () => {
    over.abort();
    expect(await ended).toBe(0);
  });
  const until = async (isThere: () => boolean): Promise<void> => {
    while (!isThere()) await sleep(5);
  };
  await until(() => taps.length === 1);
  return { taps, asked, kept, notices, until };
}

const RED = "\u001b[31m";

describe("toolgate tap", () => {
  test("prints a line for each call, the most telling first", async () => {
    const { taps, kept, until } = await start();
    taps[0]?.write(event(decisionOf(record())) + event(decisionOf(denied({ durationMs: 1 }))));
    await until(() => kept.text.split("\n").length === 3);
    expect(`\n${kept.text}`).toMatchInlineSnapshot(`
      "
      12:30:15.250  allow  ok            12ms  agents/reader  tools/call echo           tools/readers/readers-may-read  tools/everything
      12:30:15.250  deny   denied       1.0ms  agents/reader  tools/call echo           toolgate/default-deny (no-rule-allows)  tools/everything
      "
    `);
  });

  test.each([60, 80])("keeps its lines within %d columns", async (columns) => {
    const { taps, kept, until } = await start({ columns });
    taps[0]?.write(event(decisionOf(denied())));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text.trimEnd().length).toBeLessThanOrEqual(columns);
    expect(kept.text).toContain("deny   denied");
  });

  test("does not let a caller draw on the terminal", async () => {
    const { taps, kept, until } = await start();
    const name = `x${RED}red\u0007`;
    taps[0]?.write(event(decisionOf(denied({ target: { kind: "tool", name } }))));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text.trimEnd()).not.toMatch(/\p{Cc}/u);
    expect(kept.text).toContain(String.raw`x\u{1b}[31mred\u{7}`);
  });

  test("prints what came, line by line, with -o json", async () => {
    const { taps, kept, until } = await start({ flags: { output: "json" } });
    const line = decisionOf(record());
    taps[0]?.write(event(line));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text).toBe(`${JSON.stringify(line)}\n`);
  });

  test("asks for what it was asked for", async () => {
    const { asked } = await start({ flags: { server: "tools/*", caller: "a&b", denied: true, arguments: true } });
    expect(asked).toEqual(["/api/tap?denied=true&server=tools%2F*&caller=a%26b&arguments=true"]);
  });

  test("shows arguments where they have come", async () => {
    const { taps, kept, until } = await start();
    taps[0]?.write(event({ ...decisionOf(record()), arguments: { city: "Oslo" } }));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text).toMatch(/ {2}\{"city":"Oslo"\}\n$/);
  });

  test("tells of calls that it was too slow for", async () => {
    const { taps, notices, until } = await start();
    taps[0]?.write('event: dropped\ndata: {"calls":7}\n\n');
    await until(() => notices.text !== "");
    expect(notices.text).toBe("not shown, since this reader was too slow: 7 calls\n");
  });

  test("tries again when the stream ends, and says both once", async () => {
    const { taps, kept, notices, until } = await start();
    taps[0]?.end();
    await until(() => taps.length === 2);
    taps[1]?.write(event(decisionOf(record())));
    await until(() => kept.text.endsWith("\n"));
    expect(notices.text).toBe("the connection has ended: trying again\nconnected again\n");
  });

  test("finds a Toolgate behind a Unix socket", async () => {
    const directory = await mkdtemp(join(tmpdir(), "toolgate-tap-"));
    cleanups.push(() => rm(directory, { recursive: true }));
    const { taps, kept, until } = await start({ path: join(directory, "admin.sock") });
    taps[0]?.write(event(decisionOf(record())));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text).toContain("agents/reader");
  });
});
