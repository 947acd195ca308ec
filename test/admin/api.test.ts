import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { readAssets } from "../../src/admin/assets.ts";
import { isForUs } from "../../src/admin/host.ts";
import { createAdminServer } from "../../src/admin/server.ts";
import type { AdminOptions } from "../../src/admin/server.ts";
import { EMPTY_POLICY_SET } from "../../src/core/policy/policy-set.ts";
import type { Server } from "../../src/core/policy/policy-set.ts";
import { decisionOf } from "../../src/telemetry/decision-line.ts";
import { createRecent } from "../../src/telemetry/recent.ts";
import { createTap } from "../../src/telemetry/tap.ts";
import { createTraffic } from "../../src/telemetry/traffic.ts";
import { denied, record } from "../telemetry/records.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const RULE = { policy: "tools/readers", rule: "readers-may-read" };
const POLICIES = {
  ...EMPTY_POLICY_SET,
  servers: [{ name: "tools/everything" } as Server, { name: "tools/idle" } as Server],
  rules: [{ ...RULE, action: "Allow", mode: "Enforce", servers: ["tools/everything"] }] as const,
};

const HEAD = { segment: "s", seq: 41, chain: "0".repeat(64) };

/** An admin server at `url` that has seen a permitted and a refused call. */
async function start(options: Partial<AdminOptions> = {}) {
  const traffic = createTraffic({ isNamed: () => true });
  const recent = createRecent();
  const tap = createTap();
  for (const one of [record(), denied()]) for (const reader of [traffic, recent, tap]) reader.record(one);
  const server = createAdminServer({
    metrics: { expose: async () => Buffer.alloc(0) },
    missing: () => [],
    policies: () => POLICIES,
    report: () => ({ generation: 1, problems: [], warnings: [], lastSyncedAtMs: undefined }),
    traffic,
    recent,
    tap,
    activity: () => [{ server: "tools/everything", inflight: 2, streams: 1 }],
    decisionLog: { dropped: () => 3, queuedBytes: () => 7, head: () => HEAD },
    info: { version: "1.2.3", startedAtMs: 0, id: "this-start", listen: () => "127.0.0.1:9002" },
    assets: new Map(),
    ...options,
  });
  cleanups.push(() => server.close());
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  if ("path" in address) throw new Error("not a port");
  const url = `http://127.0.0.1:${address.port}`;
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return { server, tap, url, get, port: address.port };
}

describe("/api", () => {
  test("says how each server does, also one that nobody calls", async () => {
    const { get } = await start();
    const { status, headers, body } = await get("/api/stat/servers");
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toMatchObject({
      windowSeconds: 60,
      rows: [
        { server: "tools/everything", requests: 2, success: 1, denied: 1, p50: 0.0125, inflight: 2, streams: 1 },
        { server: "tools/idle", requests: 0, success: null, denied: 0, p50: null },
      ],
    });
  });

  test.each([
    ["/api/stat/tools", [{ server: "tools/everything", method: "tools/call", name: "echo", requests: 2 }]],
    ["/api/stat/prompts", []],
    ["/api/stat/resources", []],
    ["/api/edges", [{ caller: "agents/reader", identity: "spiffe", server: "tools/everything", tools: 1, denied: 1 }]],
    ["/api/edges?by=tool", [{ caller: "agents/reader", tool: "echo", requests: 2 }]],
    [
      "/api/authz",
      [
        { ...RULE, name: "echo", allowed: 1 },
        { rule: "default-deny", denied: 1, success: null },
      ],
    ],
    ["/api/authz?server=tools/idle", []],
  ])("%s has its rows", async (path, expected) => {
    const { get } = await start();
    const { body } = await get(path);
    const { rows } = body as { readonly rows: readonly { readonly rule?: string }[] };
    expect(rows).toHaveLength(expected.length);
    for (const row of expected) expect(rows).toContainEqual(expect.objectContaining(row));
  });

  test("/api/policies counts what each rule has decided since the start", async () => {
    const { get } = await start();
    expect((await get("/api/policies")).body).toMatchObject({
      rules: [{ ...RULE, action: "Allow", mode: "Enforce", allowed: 1, denied: 0, audited: 0 }],
    });
  });

  test("/api/denials has the last refusals as the decision log has them, but for the arguments", async () => {
    const recent = createRecent();
    recent.record({ ...denied(), arguments: { values: { path: "/secret" }, withheld: 1 } });
    const { get } = await start({ recent });
    expect((await get("/api/denials")).body).toEqual({ denials: [JSON.parse(JSON.stringify(decisionOf(denied())))] });
  });

  test("/api/decision-log says what was lost, and the head of the chain", async () => {
    const { get } = await start();
    expect((await get("/api/decision-log")).body).toEqual({ dropped: 3, queuedBytes: 7, head: HEAD });
  });

  test("/api/streams and /api/info say what is open, and since when", async () => {
    const { get } = await start();
    expect((await get("/api/streams")).body).toEqual({
      servers: [{ server: "tools/everything", inflight: 2, streams: 1 }],
    });
    expect((await get("/api/info")).body).toEqual({
      version: "1.2.3",
      startedAt: "1970-01-01T00:00:00.000Z",
      id: "this-start",
      listen: "127.0.0.1:9002",
    });
  });

  test("/api/history begins with the first slot that has ended", async () => {
    const { get } = await start();
    expect((await get("/api/history")).body).toEqual({ slotSeconds: 10, slots: [], series: [] });
  });

  test.each(["9", "301", "1e2", "-60", "", "sixty"])("a window of %j is refused", async (window) => {
    const { get } = await start();
    for (const path of ["/api/stat/tools", "/api/history"])
      expect(await get(`${path}?window=${window}`)).toMatchObject({
        status: 400,
        body: { error: `window: expected whole seconds from 10 to 300, not ${JSON.stringify(window)}` },
      });
  });
});

describe("/api/tap", () => {
  /** The text of a tap, as it grows. */
  async function open(url: string, query = "") {
    const response = await fetch(`${url}/api/tap${query}`);
    const opened = { response, text: "", hasEnded: false };
    const reading = (async () => {
      for await (const chunk of response.body ?? []) opened.text += Buffer.from(chunk).toString();
      opened.hasEnded = true;
    })();
    const until = async (text: string): Promise<void> => {
      while (!opened.text.includes(text)) await sleep(5);
    };
    return { opened, reading, until };
  }

  test("is a stream of events, one for each call that was asked for", async () => {
    const { url, tap } = await start();
    const { opened, until } = await open(url, "?denied=true&tool=ec*");
    expect(opened.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    await until(":\n\n");
    tap.record(record());
    tap.record(denied());
    await until("no-rule-allows");
    expect(opened.text).toBe(`:\n\ndata: ${JSON.stringify(decisionOf(denied()))}\n\n`);
  });

  test("ends cleanly with the server, before that has closed", async () => {
    const { url, server } = await start();
    const { opened, reading, until } = await open(url);
    await until(":\n\n");
    await server.close();
    await reading;
    expect(opened.hasEnded).toBe(true);
  });

  test("is refused when it has as many readers as it can have", async () => {
    const { url, get } = await start({ tap: createTap(1) });
    await (await open(url)).until(":\n\n");
    expect(await get("/api/tap")).toMatchObject({ status: 503 });
  });

  test("takes back what a reader had when it goes", async () => {
    const { url } = await start({ tap: createTap(1) });
    const aborted = new AbortController();
    await fetch(`${url}/api/tap`, { signal: aborted.signal });
    aborted.abort();
    let status = 503;
    while (status !== 200) {
      const response = await fetch(`${url}/api/tap`);
      ({ status } = response);
      if (status === 503) await response.body?.cancel();
    }
    expect(status).toBe(200);
  });

  test("waits for nobody who does not read: calls go on, little waits, and what was lost is told", async () => {
    const { tap, port } = await start();
    const stalled = request({ host: "127.0.0.1", port, path: "/api/tap" }).end();
    const response = await new Promise<NodeJS.ReadableStream>((resolve) => void stalled.on("response", resolve));
    response.pause();
    const total = 100_000;
    for (let i = 0; i < total; i++) {
      tap.record(denied({ requestId: `request-${i}` }));
      if (i % 1_000 === 0) await sleep(0);
    }
    let text = "";
    response.on("data", (chunk) => void (text += String(chunk))).resume();
    while (!text.includes("the-last")) {
      tap.record(denied({ requestId: "the-last" }));
      await sleep(5);
    }
    const told = [...text.matchAll(/"calls":(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
    expect(told).toBeGreaterThan(0);
    expect(text.split('data: {"v"').length - 1 + told).toBeGreaterThanOrEqual(total);
    // What the system takes for a socket on loopback, and a little of ours.
    expect(text.length).toBeLessThan(24 * 1024 * 1024);
    stalled.destroy();
  });
});

describe("the page", () => {
  async function withPage() {
    const folder = await mkdtemp(join(tmpdir(), "toolgate-page-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, "parts"));
    await writeFile(join(folder, "index.html"), "<!doctype html><title>Toolgate</title>");
    await writeFile(join(folder, "app.js"), "export {};");
    await writeFile(join(folder, "parts", "chart.js"), "export {};");
    await writeFile(join(folder, "notes.md"), "not for the page");
    return start({ assets: await readAssets(folder) });
  }

  test("is what / answers, and may load nothing from elsewhere", async () => {
    const { url } = await withPage();
    const response = await fetch(`${url}/`);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'self';.*frame-ancestors 'none'/);
    expect(await response.text()).toContain("<title>Toolgate</title>");
  });

  test("has its files under /assets/, those of its folders too", async () => {
    const { url } = await withPage();
    for (const path of ["/assets/app.js", "/assets/parts/chart.js"]) {
      const response = await fetch(`${url}${path}`);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
    }
  });

  test.each(["/assets/notes.md", "/assets/", "/assets/../package.json", "/assets/%2e%2e/package.json", "/app.js"])(
    "has nothing at %s",
    async (path) => {
      const { port } = await withPage();
      const asked = request({ host: "127.0.0.1", port, path }).end();
      const status = await new Promise(
        (resolve) => void asked.on("response", (response) => resolve(response.statusCode)),
      );
      expect(status).toBe(404);
    },
  );

  test("is the list of what there is to read where it has no files", async () => {
    const { url } = await start({ assets: await readAssets(join(tmpdir(), "no-such-folder")) });
    const list = await (await fetch(`${url}/`)).text();
    for (const path of ["/metrics", "/api/stat/tools", "/api/tap"]) expect(list).toContain(`\n${path} `);
  });
});

describe("on loopback", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1:9003", true],
    ["127.0.0.1", "localhost:9003", true],
    ["127.0.0.1", "localhost", true],
    ["127.0.0.1", "LOCALHOST:80", true],
    ["::1", "[::1]:9003", true],
    ["127.0.0.1", "evil.example:9003", false],
    ["127.0.0.1", "127.0.0.1.evil.example", false],
    ["127.0.0.1", "localhost.evil.example:9003", false],
    ["::1", "evil.example", false],
    ["127.0.0.1", "", false],
    ["0.0.0.0", "toolgate.toolgate-system:9003", true],
    ["10.0.0.7", "10.0.0.7:9003", true],
    [undefined, "anything", true],
    ["127.0.0.1", undefined, true],
  ])("at %s a request for %j is taken: %s", (address, host, expected) => {
    expect(isForUs(address, host)).toBe(expected);
  });

  test("a page of another site that has its name point here reads nothing", async () => {
    const { port } = await start();
    for (const path of ["/", "/metrics", "/api/edges", "/api/tap"]) {
      const asked = request({ host: "127.0.0.1", port, path, headers: { host: `rebound.example:${port}` } }).end();
      const status = await new Promise(
        (resolve) => void asked.on("response", (response) => resolve(response.statusCode)),
      );
      expect(status).toBe(403);
    }
  });
});
