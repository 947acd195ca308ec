/**
 * What telemetry costs a call: tool calls of four messages over HTTP/2, as Envoy sends them, to two servers in one process,
 * of which one has telemetry and the other has not. The CPU time of that process, so that neither the client nor what else
 * the machine does is counted; in turns, so that both see the same machine.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { EXT_PROC_PATH } from "../src/grpc/ext-proc.ts";
import { toFrame } from "../src/grpc/frame.ts";
import { ANSWER, BODY, HEADERS } from "./grpc.bench.ts";
import type { Aim } from "./report.ts";

const FRAMES = [HEADERS, BODY, ...ANSWER].map(toFrame);
const CONCURRENT = 16;
/** V8 needs some 20,000 calls until the cost stays. */
const WARM_UP_CALLS = 20_000;
/** Of a round: so few that both see the same machine. */
const CALLS = 500;
const MAX_RATIO = 1.1;

/**
 * Of a call, in microseconds of the server's process: that of calm rounds, one in ten of which was cheaper. A busy machine
 * makes the same work dearer, by more than what is to be seen here.
 */
export type TelemetryCost = { readonly onUs: number; readonly offUs: number };

export async function measureTelemetryCost(rounds: number): Promise<TelemetryCost> {
  const server = fork(new URL("telemetry-server.ts", import.meta.url));
  const [[onPort, offPort]] = (await once(server, "message")) as [[number, number]];
  const sessions = [onPort, offPort].map((port) => connect(`http://127.0.0.1:${port}`)) as [
    ClientHttp2Session,
    ClientHttp2Session,
  ];
  const cpuUs = async (): Promise<number> => {
    server.send("cpu");
    const [us] = (await once(server, "message")) as [number];
    return us;
  };
  const perCall = async (session: ClientHttp2Session): Promise<number> => {
    const before = await cpuUs();
    await callAll(session, CALLS);
    return ((await cpuUs()) - before) / CALLS;
  };
  try {
    for (const session of sessions) await callAll(session, WARM_UP_CALLS);
    const [on, off] = sessions;
    const seen: (readonly [onUs: number, offUs: number])[] = [];
    for (let round = 0; round < rounds; round++) {
      const first = await perCall(round % 2 === 0 ? on : off);
      const second = await perCall(round % 2 === 0 ? off : on);
      seen.push(round % 2 === 0 ? [first, second] : [second, first]);
    }
    return { onUs: calm(seen.map(([onUs]) => onUs)), offUs: calm(seen.map(([, offUs]) => offUs)) };
  } finally {
    for (const session of sessions) session.destroy();
    server.kill();
  }
}

async function callAll(session: ClientHttp2Session, calls: number): Promise<void> {
  let left = calls;
  const work = async (): Promise<void> => {
    while (left-- > 0) await call(session);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
}

/** One message after the other, each when the one before is answered. */
function call(session: ClientHttp2Session): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = session.request({
    ":method": "POST",
    ":path": EXT_PROC_PATH,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let sent = 0;
  const next = (): void => void (sent < FRAMES.length && stream.write(FRAMES[sent++]));
  stream.on("data", next);
  stream.on("trailers", (trailers) => {
    stream.end();
    if (trailers["grpc-status"] !== "0") reject(new Error(`the call ended with ${String(trailers["grpc-message"])}`));
  });
  stream.on("error", reject);
  stream.on("close", resolve);
  next();
  return promise;
}

const calm = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)] ?? NaN;

export const costAim = ({ onUs, offUs }: TelemetryCost): Aim => ({
  name: "a call's CPU with telemetry, of that without",
  aim: `<= ${MAX_RATIO.toFixed(2)}`,
  seen: `${(onUs / offUs).toFixed(2)} (${onUs.toFixed(0)} of ${offUs.toFixed(0)} us)`,
  reached: onUs / offUs <= MAX_RATIO,
});
