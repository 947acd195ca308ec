import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createAdminServer } from "../../src/admin/server.ts";
import type { AdminAddress, AdminOptions, AdminServer } from "../../src/admin/server.ts";
import { createRecent } from "../../src/telemetry/recent.ts";
import { createTap } from "../../src/telemetry/tap.ts";
import { createTraffic } from "../../src/telemetry/traffic.ts";
import { EMPTY_POLICY_SET } from "../../src/core/policy/policy-set.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const OPTIONS: AdminOptions = {
  metrics: { expose: async (format) => Buffer.from(`some_metric{format="${format}"} 1\n`) },
  missing: () => [],
  assets: new Map(),
  traffic: createTraffic({ isNamed: () => true }),
  recent: createRecent(),
  tap: createTap(),
  activity: () => [],
  decisionLog: { dropped: () => 0, queuedBytes: () => 0, head: () => undefined },
  info: { version: "1.2.3", startedAtMs: 0, id: "this-start", listen: () => "127.0.0.1:9002" },
  policies: () => EMPTY_POLICY_SET,
  report: () => ({ generation: 0, problems: [], warnings: [], lastSyncedAtMs: undefined }),
};

const LOOPBACK = { host: "127.0.0.1", port: 0 };

function create(options: Partial<AdminOptions> = {}): AdminServer {
  const server = createAdminServer({ ...OPTIONS, ...options });
  cleanups.push(() => server.close());
  return server;
}

const urlOf = (address: AdminAddress): string => {
  if ("path" in address) throw new Error("a Unix socket has no URL");
  return `http://${address.host}:${address.port}`;
};

async function get(path: string, options: Partial<AdminOptions> = {}, init: RequestInit = {}) {
  const url = urlOf(await create(options).listen(LOOPBACK));
  const response = await fetch(`${url}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

describe("a page", () => {
  test("/metrics is what the metrics say, in their content type", async () => {
    const { status, headers, body } = await get("/metrics");
    expect({ status, body }).toStrictEqual({ status: 200, body: 'some_metric{format="plain"} 1\n' });
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("/metrics is OpenMetrics for who asks for it, as Prometheus does", async () => {
    const { headers, body } = await get("/metrics", {}, { headers: { accept: "application/openmetrics-text" } });
    expect(body).toBe('some_metric{format="openmetrics"} 1\n');
    expect(headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  });

  test("/metrics that fails is a 500 with the reason, and the server goes on", async () => {
    const server = create({
      metrics: { expose: () => Promise.reject(new Error("registry broke")) },
    });
    const url = urlOf(await server.listen(LOOPBACK));
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(500);
    expect(await response.json()).toStrictEqual({ error: "/metrics failed: registry broke" });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test("/healthz is 200 also when it is not ready", async () => {
    expect(await get("/healthz", { missing: () => ["no policy set compiled"] })).toMatchObject({
      status: 200,
      body: "ok\n",
    });
  });

  test("/readyz is 200 when nothing is missing, and follows", async () => {
    let missing = ["the policies were not read yet", "127.0.0.1:9002 is not open yet"];
    const url = urlOf(await create({ missing: () => missing }).listen(LOOPBACK));
    const before = await fetch(`${url}/readyz`);
    expect(before.status).toBe(503);
    expect(await before.text()).toBe(
      "not ready: the policies were not read yet\nnot ready: 127.0.0.1:9002 is not open yet\n",
    );
    missing = [];
    const after = await fetch(`${url}/readyz`);
    expect({ status: after.status, body: await after.text() }).toStrictEqual({ status: 200, body: "ready\n" });
  });

  test("/api/policies tells what is in force and what is wrong", async () => {
    const problem = { file: "a.yaml", line: 3, path: "spec.rules[0].to", message: "must not be empty" };
    const { body, headers } = await get("/api/policies?pretty", {
      policies: () => ({ ...EMPTY_POLICY_SET, counts: { servers: 1, policies: 2, rules: 3, invalid: 4 } }),
      report: () => ({ generation: 5, problems: [problem], warnings: [problem], lastSyncedAtMs: 0 }),
    });
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(JSON.parse(body)).toStrictEqual({
      generation: 5,
      lastSynced: "1970-01-01T00:00:00.000Z",
      servers: [],
      counts: { servers: 1, policies: 2, rules: 3, invalid: 4 },
      rules: [],
      problems: [problem],
      warnings: [problem],
    });
    expect(JSON.parse((await get("/api/policies")).body)).toMatchObject({ generation: 0, lastSynced: null });
  });

  test("/ names all the others", async () => {
    const { body, headers } = await get("/");
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    for (const path of ["/metrics", "/healthz", "/readyz", "/api/policies"]) expect(body).toContain(`\n${path} `);
  });

  test("that does not exist is a 404 in JSON", async () => {
    const { status, body } = await get("/metrics/");
    expect(status).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ error: "no such page", pages: expect.arrayContaining(["/metrics"]) });
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("cannot be changed with %s", async (method) => {
    const { status, headers, body } = await get("/metrics", {}, { method });
    expect(status).toBe(405);
    expect(headers.get("allow")).toBe("GET, HEAD");
    expect(JSON.parse(body)).toStrictEqual({ error: "/metrics can only be read: use GET" });
  });

  test("has its headers only with HEAD", async () => {
    const { status, headers, body } = await get("/metrics", {}, { method: "HEAD" });
    expect({ status, body, length: headers.get("content-length") }).toStrictEqual({
      status: 200,
      body: "",
      length: "30",
    });
  });
});

describe("listening", () => {
  test("on a port in use names the port and the option", async () => {
    const taken = await create().listen(LOOPBACK);
    if ("path" in taken) throw new Error("not a port");
    await expect(create().listen(taken)).rejects.toThrow(
      `the admin server cannot listen on 127.0.0.1:${taken.port}: it is in use by another process; choose another address with --admin-listen`,
    );
  });

  test("on an address of another machine says what the system said", async () => {
    await expect(create().listen({ host: "192.0.2.1", port: 0 })).rejects.toThrow(
      /cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL.*--admin-listen/,
    );
  });

  test("on a Unix socket works", async () => {
    const directory = await mkdtemp(join(tmpdir(), "toolgate-admin-"));
    cleanups.push(() => rm(directory, { recursive: true }));
    const socketPath = join(directory, "admin.sock");
    expect(await create().listen({ path: socketPath })).toStrictEqual({ path: socketPath });
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    request({ socketPath, path: "/healthz" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
    expect(await promise).toBe(200);
  });

  test("ends when it is closed, also with a scrape under way", async () => {
    const asked = Promise.withResolvers<void>();
    const never = new Promise<Buffer>(() => undefined);
    const expose = () => {
      asked.resolve();
      return never;
    };
    const server = create({ metrics: { expose } });
    const url = urlOf(await server.listen(LOOPBACK));
    const scrape = expect(fetch(`${url}/metrics`)).rejects.toThrow("fetch failed");
    await asked.promise;
    await server.close();
    await scrape;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
  });
});
