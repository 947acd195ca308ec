/** An admin port whose taps a test writes to. */
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export const event = (line: object): string => `data: ${JSON.stringify(line)}\n\n`;

export const until = async (isThere: () => boolean): Promise<void> => {
  while (!isThere()) await sleep(5);
};

/** `path`: of a Unix socket. */
export async function startAdmin(path?: string) {
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
  const admin = path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`;
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => void server.close(() => resolve()));
  };
  return { admin, taps, asked, [Symbol.asyncDispose]: close };
}
