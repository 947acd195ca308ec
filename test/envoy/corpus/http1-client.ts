/** A client of HTTP/1.1 over TLS, byte for byte: no library between a case and Envoy that would tidy up what it is about. */
import { connect } from "node:tls";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { piecesOf } from "../../fixtures/bytes.ts";
import { PATIENCE_MS } from "./client.ts";
import type { Client, Received, Sent } from "./client.ts";
import { readAnswer } from "./http1-answer.ts";

export const overHttp1: Client = async ({ port, tls }, sent) => {
  const socket = connect({ host: "127.0.0.1", port, ...tls, ALPNProtocols: ["http/1.1"] });
  const { promise, resolve } = Promise.withResolvers<Received | undefined>();
  let bytes = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const answer = readAnswer(bytes);
    if (answer !== undefined && (answer.isWhole || answer.body.length >= (sent.enoughBytes ?? Infinity))) {
      resolve(answer);
      socket.destroy();
    }
  });
  // A refused certificate and a reset are both a connection that closes.
  socket.on("error", () => {});
  socket.on("close", () => resolve(readAnswer(bytes)));
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  for (const piece of toPieces(sent)) socket.write(piece);
  if (sent.leaveAfter !== undefined) {
    await sent.leaveAfter();
    socket.end();
  }
  return promise;
};

/** The request as it goes out: headers as they are, and around the body what the case says of it or a length. */
function toPieces(sent: Sent): readonly Uint8Array[] {
  const { headers, body, chunkBytes, trailers, leaveAfter } = sent;
  const pseudo = (name: string): string => headers.find(([key]) => key === name)?.[1] ?? "";
  const given = headers.filter(([name]) => !name.startsWith(":"));
  const first = `${pseudo(":method")} ${pseudo(":path")} HTTP/1.1`;
  const head: HeaderList = [["host", pseudo(":authority")], ...given];
  if (given.some(([name]) => name === "transfer-encoding")) return [toHead(first, head), ...toChunks(sent)];
  if (chunkBytes !== undefined || trailers !== undefined || leaveAfter !== undefined) {
    return [toHead(first, [...head, ["transfer-encoding", "chunked"]]), ...toChunks(sent)];
  }
  if (body.length === 0) return [toHead(first, head)];
  return [toHead(first, [...head, ["content-length", String(body.length)]]), body];
}

function toChunks({ body, chunkBytes, trailers, leaveAfter }: Sent): readonly Uint8Array[] {
  const chunks = piecesOf(body, chunkBytes ?? body.length).map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]),
  );
  // Without the last chunk, which is empty, the body never ends.
  return leaveAfter === undefined ? [...chunks, toHead("0", trailers ?? [])] : chunks;
}

const toHead = (first: string, headers: HeaderList): Buffer =>
  Buffer.from(`${[first, ...headers.map(([name, value]) => `${name}: ${value}`)].join("\r\n")}\r\n\r\n`, "latin1");
