/** A client of HTTP/2: Envoy reads it with another codec, and holds bodies to other limits. */
import { connect, constants } from "node:http2";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { piecesOf } from "../../fixtures/bytes.ts";
import { PATIENCE_MS } from "./client.ts";
import type { Client, Received, Sent } from "./client.ts";

export const overHttp2: Client = async ({ port, tls }, sent) => {
  // A connection of its own: one that Envoy closes takes no other case with it.
  // Headers that stand twice are some of the cases.
  const options = { ...tls, strictSingleValueFields: false };
  const session = connect(`https://127.0.0.1:${port}`, options);
  try {
    // A refused certificate and a reset are both a stream that closes.
    session.on("error", () => {});
    const { headers, body, trailers, leaveAfter } = sent;
    const stream = session.request(headers.flat(), {
      endStream: body.length === 0,
      waitForTrailers: trailers !== undefined,
    });
    const received = receive(stream, sent);
    stream.on("wantTrailers", () => stream.sendTrailers(Object.fromEntries(trailers ?? [])));
    for (const piece of piecesOf(body, sent.chunkBytes ?? body.length)) await write(stream, piece);
    if (leaveAfter === undefined) stream.end();
    else {
      await leaveAfter();
      // Not `close`, which ends the body first.
      stream.destroy();
    }
    return await received;
  } finally {
    session.destroy();
  }
};

/** Resolves when the piece has been handed to the connection, so that two pieces are never one frame. */
const write = (stream: ClientHttp2Stream, piece: Uint8Array): Promise<void> =>
  // The stream may end before its body does; then this is told so, and the answer says the rest.
  new Promise((resolve) => void stream.write(piece, () => resolve()));

function receive(stream: ClientHttp2Stream, { enoughBytes = Infinity }: Sent): Promise<Received | undefined> {
  const { promise, resolve } = Promise.withResolvers<Received | undefined>();
  const parts: Buffer[] = [];
  let head: IncomingHttpHeaders | undefined;
  let isWhole = false;
  const answer = (): Received | undefined =>
    head && { status: Number(head[":status"]), headers: toList(head), body: Buffer.concat(parts), isWhole };
  stream.on("response", (headers) => (head = headers));
  stream.on("data", (part: Buffer) => {
    parts.push(part);
    if (parts.reduce((bytes, { length }) => bytes + length, 0) >= enoughBytes) resolve(answer());
  });
  stream.on("end", () => (isWhole = true));
  stream.on("error", () => {});
  stream.on("close", () => resolve(answer()));
  stream.setTimeout(PATIENCE_MS, () => stream.close(constants.NGHTTP2_CANCEL));
  return promise;
}

const toList = (headers: IncomingHttpHeaders): HeaderList =>
  Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one] as const));
