/**
 * A program: the MCP server of the benchmark, which must never be the bottleneck. It answers each POST with the same
 * bytes over a bare socket: a tool's result, or 202 for a message without an id. It ends with its stdin.
 */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { TOOL_RESULT } from "./messages.ts";

const RESULT = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${TOOL_RESULT.length}\r\n\r\n${TOOL_RESULT}`;
const ACCEPTED = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
const HEAD_END = "\r\n\r\n";

const server = createServer((socket) => {
  let held = "";
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy()); // Envoy or the load generator has left.
  socket.on("data", (chunk) => {
    held += chunk.toString("latin1");
    let answers = "";
    for (let end = requestEnd(held); end !== -1; end = requestEnd(held)) {
      answers += held.slice(0, end).includes('"id":') ? RESULT : ACCEPTED;
      held = held.slice(end);
    }
    if (answers !== "") socket.write(answers, "latin1");
  });
});

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
