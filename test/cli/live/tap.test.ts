import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { runTap } from "../../../src/cli/live/tap.ts";
import { decisionOf } from "../../../src/telemetry/decision-line.ts";
import { denied, record } from "../../telemetry/records.ts";
import { event, startAdmin, until } from "./fake-admin.ts";
import { terminal } from "./terminal.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** What `toolgate tap` makes of what an admin port says. */
async function start({ columns, flags = {}, path }: { columns?: number; flags?: object; path?: string } = {}) {
  const { admin, taps, asked, [Symbol.asyncDispose]: close } = await startAdmin(path);
  cleanups.push(close);
  const { screen, kept } = terminal(columns);
  const notices = { text: "" };
  const over = new AbortController();
  const complain = { write: (more: string) => void (notices.text += more) };
  const ended = runTap({ admin, output: "table", ...flags }, { screen, complain, signal: over.signal });
  cleanups.push(async () => {
    over.abort();
    expect(await ended).toBe(0);
  });
  await until(() => taps.length === 1);
  return { taps, asked, kept, notices };
}

const RED = "\u001b[31m";

describe("toolgate tap", () => {
  test("prints a line for each call, the most telling first", async () => {
    const { taps, kept } = await start();
    taps[0]?.write(event(decisionOf(record())) + event(decisionOf(denied({ durationMs: 1 }))));
    await until(() => kept.text.split("\n").length === 3);
    expect(`\n${kept.text}`).toMatchInlineSnapshot(`
      "
      12:30:15.250  allow  ok            12ms  agents/reader  tools/call echo           tools/readers/readers-may-read  tools/everything
      12:30:15.250  deny   denied       1.0ms  agents/reader  tools/call echo           toolgate/default-deny (no-rule-allows)  tools/everything
      "
    `);
  });

  test("tells of a call that HTTP has turned away, or failed, the status", async () => {
    const { taps, kept } = await start();
    taps[0]?.write(
      event(decisionOf(record({ outcome: { kind: "rejected" }, httpStatus: 401 }))) +
        event(decisionOf(record({ outcome: { kind: "transport_error" }, httpStatus: 502 }))) +
        event(decisionOf(record({ outcome: { kind: "rpc_error", code: -32_602 }, httpStatus: 400 }))),
    );
    await until(() => kept.text.split("\n").length === 4);
    const shown = kept.text.split("\n").map((line) => line.slice(21, 41).trim());
    expect(shown).toEqual(["rejected 401    12ms", "transport_error 502", "error -32602    12ms", ""]);
  });

  test("has the name rather than the method where there is not room for both", async () => {
    const { taps, kept } = await start({ columns: 60 });
    taps[0]?.write(event(decisionOf(record())) + event(decisionOf(record({ method: "ping", target: undefined }))));
    await until(() => kept.text.split("\n").length === 3);
    expect(kept.text.split("\n").map((line) => line.slice(50).trim())).toEqual(["echo", "ping", ""]);
  });

  test.each([60, 80])("keeps its lines within %d columns", async (columns) => {
    const { taps, kept } = await start({ columns });
    taps[0]?.write(event(decisionOf(denied())));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text.trimEnd().length).toBeLessThanOrEqual(columns);
    expect(kept.text).toContain("deny   denied");
  });

  test("does not let a caller draw on the terminal", async () => {
    const { taps, kept } = await start();
    const name = `x${RED}red\u0007`;
    taps[0]?.write(event(decisionOf(denied({ target: { kind: "tool", name } }))));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text.trimEnd()).not.toMatch(/\p{Cc}/u);
    expect(kept.text).toContain(String.raw`x\u{1b}[31mred\u{7}`);
  });

  test("prints what came, line by line, with -o json", async () => {
    const { taps, kept } = await start({ flags: { output: "json" } });
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
    const { taps, kept } = await start();
    taps[0]?.write(event({ ...decisionOf(record()), arguments: { city: "Oslo" } }));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text).toMatch(/ {2}\{"city":"Oslo"\}\n$/);
  });

  test("tells of calls that it was too slow for", async () => {
    const { taps, notices } = await start();
    taps[0]?.write('event: dropped\ndata: {"calls":7}\n\n');
    await until(() => notices.text !== "");
    expect(notices.text).toBe("not shown, since this reader was too slow: 7 calls\n");
  });

  test("tries again when the stream ends, and says both once", async () => {
    const { taps, kept, notices } = await start();
    taps[0]?.end();
    await until(() => taps.length === 2);
    taps[1]?.write(event(decisionOf(record())));
    await until(() => kept.text.endsWith("\n"));
    expect(notices.text).toBe("the connection has ended: trying again\nconnected again\n");
  });

  test("finds a Toolgate behind a Unix socket", async () => {
    const directory = await mkdtemp(join(tmpdir(), "toolgate-tap-"));
    cleanups.push(() => rm(directory, { recursive: true }));
    const { taps, kept } = await start({ path: join(directory, "admin.sock") });
    taps[0]?.write(event(decisionOf(record())));
    await until(() => kept.text.endsWith("\n"));
    expect(kept.text).toContain("agents/reader");
  });
});
