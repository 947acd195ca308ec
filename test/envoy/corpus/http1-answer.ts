/** An HTTP/1.1 answer of Envoy's, read from the bytes as they came: nothing is folded, joined or decoded away. */
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import type { Received } from "./client.ts";

const LINE_END = "\r\n";
const HEAD_END = `${LINE_END}${LINE_END}`;

/** Undefined until the head is there. */
export function readAnswer(bytes: Buffer): Received | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split(LINE_END);
  const status = Number(statusLine.split(" ")[1]);
  const rest = bytes.subarray(headEnd + HEAD_END.length);
  if (status === 100) return readAnswer(rest);
  const headers: HeaderList = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const value = (name: string): string | undefined => headers.find(([key]) => key === name)?.[1];
  if (value("transfer-encoding") === "chunked") return { status, headers, ...unchunk(rest) };
  // Without a length either there is no body: Envoy does not end one with the connection.
  const length = Number(value("content-length") ?? 0);
  return { status, headers, body: rest.subarray(0, length), isWhole: rest.length >= length };
}

function unchunk(bytes: Buffer): Pick<Received, "body" | "isWhole"> {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const sizeEnd = bytes.indexOf(LINE_END, at);
    if (sizeEnd === -1) return { body: Buffer.concat(parts), isWhole: false };
    const size = Number.parseInt(bytes.toString("latin1", at, sizeEnd), 16);
    // The last chunk is empty; trailers may follow, and an empty line ends all of it.
    if (size === 0) return { body: Buffer.concat(parts), isWhole: bytes.includes(HEAD_END, sizeEnd) };
    const start = sizeEnd + LINE_END.length;
    parts.push(bytes.subarray(start, start + size));
    at = start + size + LINE_END.length;
  }
}
