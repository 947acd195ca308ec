/**
 * An Envoy that asks, waits for what it is owed, and notes what it gets. Bare HTTP/2, without a function of ours while an
 * exchange runs: the seams that are called are the server's.
 */
import { constants } from "node:http2";
import type { ClientHttp2Session } from "node:http2";

/** Messages in their frames that are sent at once, and how many answers are waited for then. */
export type Turn = { readonly frames: readonly Uint8Array[]; readonly answers: number };

export type Heard = {
  /** The answers, in order. */
  readonly messages: readonly Buffer[];
  /** Undefined when the stream broke without one. */
  readonly status: string | undefined;
};

/** `leaves`: after the turns, instead of waiting for the end. */
export async function ask(
  session: ClientHttp2Session,
  path: string,
  turns: readonly Turn[],
  leaves: boolean,
): Promise<Heard> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let bytes = Buffer.alloc(0);
  let status: string | undefined;
  let wake = (): void => {};
  for (const event of ["response", "trailers"] as const)
    stream.on(event, (headers) => (status ??= headers["grpc-status"] as string | undefined));
  stream.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    wake();
  });
  stream.on("end", () => void stream.end());
  stream.on("error", () => {});
  stream.on("close", () => wake());
  const isOver = (): boolean => status !== undefined || stream.closed || stream.destroyed;
  let owed = 0;
  for (const { frames, answers } of turns) {
    owed += answers;
    for (const frame of frames) if (!isOver() && !stream.writableEnded) stream.write(frame);
    while (!isOver() && messagesIn(bytes).length < owed) await new Promise<void>((resolve) => (wake = resolve));
  }
  if (leaves) stream.close(constants.NGHTTP2_CANCEL);
  // What is still open by now is waited for: a server that has nothing more to say has to end the stream by itself.
  while (!stream.closed) await new Promise<void>((resolve) => (wake = resolve));
  return { messages: messagesIn(bytes), status };
}

/** The messages that are whole: a byte of flags, four of length, and the message. */
function messagesIn(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
