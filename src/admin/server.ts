/**
 * The admin port: metrics for Prometheus, probes for Kubernetes, and for people what policies say and what is going on.
 * Read-only, plain HTTP: it is meant for loopback or the cluster's own network.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { CONTENT_TYPES, chooseFormat } from "../telemetry/exposition.ts";
import type { Format } from "../telemetry/exposition.ts";
import { json, text } from "./answer.ts";
import type { Answer, Page } from "./answer.ts";
import { apiPages } from "./api.ts";
import type { ApiOptions } from "./api.ts";
import { isForUs } from "./host.ts";

export type AdminOptions = ApiOptions & {
  readonly metrics: { expose(format: Format): Promise<Buffer> };
  /** What is still missing before requests can be served; nothing when ready. */
  readonly missing: () => readonly string[];
  /** The files of the page, by path. */
  readonly assets: ReadonlyMap<string, Page>;
};

/** Where to listen, or where it is: a port, or a Unix socket. */
export type AdminAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export type AdminServer = {
  /** The address it got: port 0 becomes a real one. Rejects with a sentence that says what to change. */
  listen(address: AdminAddress): Promise<AdminAddress>;
  close(): Promise<void>;
};

/** What a reader of the tap may take to hear that it has ended. */
const LAST_WORDS_MS = 500;

export function createAdminServer(options: AdminOptions): AdminServer {
  const pages = createPages(options);
  const server = createServer((request, response) => void respond(pages, request, response, addressOf(server)));
  return {
    listen: (address) => listen(server, address),
    async close() {
      options.tap.close();
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

function createPages({ metrics, missing, assets, ...api }: AdminOptions): ReadonlyMap<string, Page> {
  const own = new Map<string, Page>([
    [
      "/metrics",
      {
        about: "metrics for Prometheus",
        answer: (_asked, { headers }) => exposition(metrics, chooseFormat(headers.accept)),
      },
    ],
    ["/healthz", { about: "200 while the process is alive", answer: () => text(200, "ok\n") }],
    ["/readyz", { about: "200 when it can serve, else 503 and what is missing", answer: () => readiness(missing()) }],
    ...apiPages(api),
  ]);
  const lines = [...own].map(([path, { about }]) => `${path.padEnd(21)}${about}\n`);
  const list: Page = { about: "this list", answer: () => text(200, `Toolgate\n\n${lines.join("")}`) };
  // The list is also what there is to see where the page is not.
  return new Map([["/", list], ...own, ["/api", list], ...assets]);
}

const exposition = async (metrics: AdminOptions["metrics"], format: Format): Promise<Answer> => ({
  status: 200,
  type: CONTENT_TYPES[format],
  body: await metrics.expose(format),
});

const readiness = (missing: readonly string[]): Answer =>
  missing.length === 0 ? text(200, "ready\n") : text(503, missing.map((what) => `not ready: ${what}\n`).join(""));

/** Undefined: a Unix socket. */
function addressOf(server: Server): string | undefined {
  const address = server.address();
  return address === null || typeof address === "string" ? undefined : address.address;
}

async function respond(
  pages: ReadonlyMap<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
  address: string | undefined,
): Promise<void> {
  const answered = isForUs(address, request.headers.host) ? await answer(pages, request, response) : NOT_FOR_US;
  if (answered === undefined) return;
  const { status, type, body, headers } = answered;
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
    ...headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

const NOT_FOR_US = json(403, {
  error: "this address answers to localhost, 127.0.0.1 and [::1]; the Host header names another",
});

/** Undefined: it is answered already, or will be. */
async function answer(
  pages: ReadonlyMap<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer | undefined> {
  const { method, url = "/" } = request;
  const [path = "/", query] = url.split("?", 2);
  const page = pages.get(path);
  if (page === undefined) return json(404, { error: "no such page", pages: [...pages.keys()] });
  if (method !== "GET" && method !== "HEAD") return json(405, { error: `${path} can only be read: use GET` });
  const asked = new URLSearchParams(query);
  try {
    if ("answer" in page) return await page.answer(asked, request);
    if (method === "HEAD") return text(200, "", "text/event-stream; charset=utf-8");
    return page.stream(asked, response);
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
