/**
 * The admin port: metrics for Prometheus, probes for Kubernetes, the state of the policies for a person at three in the
 * morning. Read-only, plain HTTP: it is meant for loopback or the cluster's own network.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PolicySet } from "../core/policy/policy-set.ts";
import type { PolicyReport } from "../policies/publisher.ts";
import { CONTENT_TYPES, chooseFormat } from "../telemetry/exposition.ts";
import type { Format } from "../telemetry/exposition.ts";

export type AdminOptions = {
  readonly metrics: { expose(format: Format): Promise<string> };
  /** What is still missing before requests can be served; nothing when ready. */
  readonly missing: () => readonly string[];
  readonly policies: () => PolicySet;
  readonly report: () => PolicyReport;
};

/** Where to listen, or where it is: a port, or a Unix socket. */
export type AdminAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export type AdminServer = {
  /** The address it got: port 0 becomes a real one. Rejects with a sentence that says what to change. */
  listen(address: AdminAddress): Promise<AdminAddress>;
  close(): Promise<void>;
};

type Page = { readonly about: string; answer(request: IncomingMessage): Answer | Promise<Answer> };
type Answer = { readonly status: number; readonly type: string; readonly body: string };

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

export function createAdminServer(options: AdminOptions): AdminServer {
  const pages = createPages(options);
  const server = createServer((request, response) => void respond(pages, request, response));
  return {
    listen: (address) => listen(server, address),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createPages({ metrics, missing, policies, report }: AdminOptions): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>([
    [
      "/metrics",
      { about: "metrics for Prometheus", answer: ({ headers }) => exposition(metrics, chooseFormat(headers.accept)) },
    ],
    ["/healthz", { about: "200 while the process is alive", answer: () => text(200, "ok\n") }],
    ["/readyz", { about: "200 when it can serve, else 503 and what is missing", answer: () => readiness(missing()) }],
    [
      "/api/policies",
      {
        about: "the policies in force, their problems and warnings",
        answer: () => json(200, describe(policies(), report())),
      },
    ],
  ]);
  const lines = [...pages].map(([path, { about }]) => `${path.padEnd(16)}${about}\n`);
  return pages.set("/", { about: "this page", answer: () => text(200, `Toolgate\n\n${lines.join("")}`) });
}

const exposition = async (metrics: AdminOptions["metrics"], format: Format): Promise<Answer> =>
  text(200, await metrics.expose(format), CONTENT_TYPES[format]);

const text = (status: number, body: string, type = TEXT): Answer => ({ status, type, body });
const json = (status: number, value: unknown): Answer => ({
  status,
  type: JSON_TYPE,
  body: `${JSON.stringify(value, undefined, 2)}\n`,
});

const readiness = (missing: readonly string[]): Answer =>
  missing.length === 0 ? text(200, "ready\n") : text(503, missing.map((what) => `not ready: ${what}\n`).join(""));

const describe = (policies: PolicySet, { generation, lastSyncedAtMs, problems, warnings }: PolicyReport) => ({
  generation,
  lastSynced: lastSyncedAtMs === undefined ? null : new Date(lastSyncedAtMs).toISOString(),
  servers: policies.servers.map(({ name }) => name),
  counts: policies.counts,
  problems,
  warnings,
});

async function respond(
  pages: ReadonlyMap<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, type, body } = await answer(pages, request);
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answer(pages: ReadonlyMap<string, Page>, request: IncomingMessage): Promise<Answer> {
  const { method, url = "/" } = request;
  const path = url.split("?", 1)[0] ?? "/";
  const page = pages.get(path);
  if (page === undefined) return json(404, { error: "no such page", pages: [...pages.keys()] });
  if (method !== "GET" && method !== "HEAD") return json(405, { error: `${path} can only be read: use GET` });
  try {
    return await page.answer(request);
  } catch (error: unknown) {
    return json(500, { error: `${path} failed: ${error instanceof Error ? error.message : String(error)}` });
  }
}

function listen(server: Server, address: AdminAddress): Promise<AdminAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<AdminAddress>();
  const fail = (error: NodeJS.ErrnoException): void =>
    reject(new Error(listenProblem(address, error), { cause: error }));
  server.once("error", fail);
  server.listen({ ...address }, () => {
    server.off("error", fail);
    resolve("path" in address ? address : { ...address, port: (server.address() as AddressInfo).port });
  });
  return promise;
}

function listenProblem(address: AdminAddress, { code, message }: NodeJS.ErrnoException): string {
  const where = "path" in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
  const why = code === "EADDRINUSE" ? "it is in use by another process" : message;
  return `the admin server cannot listen on ${where}: ${why}; choose another address with --admin-listen`;
}
