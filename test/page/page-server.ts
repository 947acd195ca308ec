/** The page with canned answers: its files as the product serves them, with the same headers, and an API that a test sets. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PAGE_FOLDER, readAssets } from "../../src/admin/assets.ts";
import { apiOf } from "./fixtures.ts";
import type { Api, World } from "./fixtures.ts";

export class PageServer implements AsyncDisposable {
  #api: Api;
  #server = createServer();
  #port = 0;
  /** Paths that fail, with what they say. */
  readonly failing = new Map<string, string>();
  readonly asked: string[] = [];

  private constructor(world: World) {
    this.#api = apiOf(world);
  }

  static async start(world: World): Promise<PageServer> {
    const server = new PageServer(world);
    await server.up();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  set world(world: World) {
    this.#api = apiOf(world);
  }

  /** Listens, where it did before if it did. */
  async up(): Promise<void> {
    const assets = await readAssets(PAGE_FOLDER);
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
      const asset = assets.get(pathname);
      if (asset !== undefined && "answer" in asset) {
        void Promise.resolve(asset.answer(searchParams, request)).then(({ status, type, body, headers }) =>
          response
            .writeHead(status, { "content-type": type, "x-content-type-options": "nosniff", ...headers })
            .end(body),
        );
        return;
      }
      this.asked.push(request.url ?? "");
      const error = this.failing.get(pathname);
      const answer = this.#api[pathname]?.(searchParams);
      const status = error !== undefined ? 500 : answer === undefined ? 404 : 200;
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
      response.end(JSON.stringify(status === 200 ? answer : { error: error ?? "no such page" }));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(this.#port, "127.0.0.1", resolve);
    await promise;
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }
}
