/**
 * A program: the MCP server of the benchmark, which must never be the bottleneck. It answers each POST of the load with
 * the same bytes over a bare socket: JSON, or events, at once or one after the other. It ends with its stdin.
 */
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { LOADS } from "./messages.ts";
import type { Load } from "./messages.ts";

const STREAM_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
const HEAD_END = "\r\n\r\n";

type Answer = { readonly body: string; readonly writes: readonly string[]; readonly everyMs: number };

const ANSWERS = LOADS.map((load): Answer => {
  const writes = writesOf(load);
  const { body, everyMs } = load;
  return everyMs === undefined ? { body, writes: [writes.join("")], everyMs: 0 } : { body, writes, everyMs };
});

function writesOf({ answer }: Load): readonly string[] {
  if (typeof answer !== "string") return [STREAM_HEAD, ...answer.map(chunk), "0\r\n\r\n"];
  return [`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`];
}

const UNKNOWN: Answer = { body: "", writes: ["HTTP/1.1 500 Unknown\r\ncontent-length: 0\r\n\r\n"], everyMs: 0 };

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

const server = createServer((socket) => {
  let held = "";
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy()); // Envoy or the load generator has left.
  socket.on("data", (data) => {
    held += data.toString("latin1");
    for (let end = requestEnd(held); end !== -1; end = requestEnd(held)) {
      const request = held.slice(0, end);
      held = held.slice(end);
      write(socket, ANSWERS.find(({ body }) => request.endsWith(body)) ?? UNKNOWN);
    }
  });
});

/** Never two pieces at a time, also when a timer is late: they would be one for Envoy. */
function write(socket: Socket, { writes, everyMs }: Answer): void {
  const [first = "", ...rest] = writes;
  socket.write(first, "latin1");
  if (rest.length === 0) return;
  let next = 0;
  const timer = setInterval(() => {
    socket.write(rest[next++] ?? "", "latin1");
    if (next === rest.length || socket.destroyed) clearInterval(timer);
  }, everyMs);
}

/** Where the first request in `text` ends, or -1 while it is not complete. */
function requestEnd(text: string): number {
  const head = text.indexOf(HEAD_END);
  if (head === -1) return -1;
  const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1] ?? "0");
  const end = head + HEAD_END.length + length;
  return end <= text.length ? end : -1;
}

server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify([(server.address() as AddressInfo).port])}\n`);
});
process.stdin.resume().on("end", () => process.exit());
