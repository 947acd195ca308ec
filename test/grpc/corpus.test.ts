/**
 * The attack corpus through our gRPC server, with a client that plays Envoy: what comes out must be what the core says
 * (`test/core/corpus.test.ts` holds that against the corpus), however the frames are cut. And what only a wire can show:
 * modes that hide bodies, messages in an order that Envoy does not have, and what the telemetry makes of it.
 */
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { afterAll, describe, expect, test } from "vitest";
import { lineFaults } from "../telemetry/line-faults.ts";
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { PolicySet } from "../../src/core/policy/policy-set.ts";
import { createExtProc, EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import { BODY_SEND_MODE } from "../../src/grpc/protos.ts";
import type { BodySendMode } from "../../src/grpc/protos.ts";
import { createGrpcServer } from "../../src/grpc/server.ts";
import { formatDecision } from "../../src/telemetry/decision-line.ts";
import { fanOut } from "../../src/telemetry/telemetry.ts";
import { extProcOptions } from "../fixtures/services.ts";
import { answerOf, askOf, precedingAsk, REQUEST_CASES, RESPONSE_CASES, seededCut } from "../fixtures/corpus.ts";
import type { Ask, RequestCase } from "../fixtures/corpus.ts";
import { corePeer, MAX_BODY_BYTES } from "../fixtures/corpus/core-peer.ts";
import { playRequest, playResponse } from "../fixtures/corpus/envoy.ts";
import type { Peer, RequestVerdict } from "../fixtures/corpus/envoy.ts";
import { LATER } from "../fixtures/corpus/later.ts";
import { requestHeaders, wirePeer } from "../fixtures/corpus/wire-peer.ts";
import type { Cut, Mode } from "../fixtures/corpus/wire-peer.ts";
import { create } from "../telemetry/samples.ts";

/** What the wire does not carry. */
const ONLY_IN_CORE: Readonly<Record<string, string>> = {
  "idn-005": "Envoy's attribute has the first URI SAN only: its own validation has to refuse such a certificate",
};

const CUTS: readonly (readonly [name: string, cut: Cut])[] = [
  ["not cut", (bytes) => [bytes]],
  ["cut at random", seededCut(7, 4_000)],
  ["cut at random, small", (bytes) => (bytes.length <= 16_384 ? seededCut(11, 40)(bytes) : [bytes])],
  ["cut into single bytes", (bytes) => (bytes.length <= 2_048 ? seededCut(0, 1)(bytes) : [bytes])],
];

/** As an answer comes: a large one in the pieces of a socket. */
const answerPieces: Cut = (body) => (body.length <= 2_048 ? seededCut(3, 100)(body) : seededCut(3, 65_536)(body));

type Server = { readonly session: ClientHttp2Session; readonly records: ExchangeRecord[]; expose(): Promise<string> };
const cleanups: (() => unknown)[] = [];
const faults: unknown[] = [];
afterAll(async () => {
  expect(faults).toStrictEqual([]);
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

async function start(policies: PolicySet): Promise<Server> {
  const records: ExchangeRecord[] = [];
  const metrics = create({ isNamed: policies.isNamed, inForce: () => policies });
  const extProc = createExtProc(
    extProcOptions(policies, {
      telemetry: fanOut([metrics, { record: (one) => void records.push(one) }]),
      meter: metrics.meter,
      limits: { ...DEFAULT_LIMITS, maxBodyBytes: MAX_BODY_BYTES },
      onMisconfigured: () => {},
    }),
  );
  const server = createGrpcServer({
    handlers: new Map([[EXT_PROC_PATH, extProc]]),
    maxMessageBytes: 2 ** 24,
    onFault: (fault) => faults.push(fault),
  });
  cleanups.push(() => server.close());
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  if (!("port" in address)) throw new Error("not a TCP address");
  const session = connect(`http://127.0.0.1:${address.port}`);
  cleanups.push(() => session.destroy());
  return { session, records, expose: async () => String(await metrics.expose()) };
}

const servers = new Map<PolicySet, Promise<Server>>();
function serverFor(policies: PolicySet): Promise<Server> {
  const running = servers.get(policies) ?? start(policies);
  servers.set(policies, running);
  return running;
}

const isProtocolCase = (one: RequestCase): boolean => one.ext_proc?.messages !== undefined;
const requests = REQUEST_CASES.filter(
  (one) => !(one.id in ONLY_IN_CORE) && !isProtocolCase(one) && one.category !== "ext-authz",
);

const MODES: readonly Mode[] = ["override", "streamed", "duplex"];
const RUNS = MODES.flatMap((mode) => CUTS.map(([name, cut]) => [mode, name, cut] as const));

describe.each(RUNS)("in the mode %s, with frames that are %s", (mode, _name, cut) => {
  test("each request gets the core's verdict, and goes on as the core says", async () => {
    const differing = requests.map(async (one) => {
      const ask = askOf(one);
      using peer = wirePeer((await serverFor(ask.policies)).session, cut, mode);
      const [wire, core] = [await playRequest(peer, ask), await playRequest(corePeer(ask), ask)];
      return mode === "duplex"
        ? differs(one.id, withoutLength(wire), withoutLength(core))
        : differs(one.id, wire, core);
    });
    expect((await Promise.all(differing)).flat()).toStrictEqual([]);
  });

  test("each answer is delivered as the core says", async () => {
    const differing = RESPONSE_CASES.map(async (one) => {
      const ask = precedingAsk(one);
      const play = async (peer: Peer) => [
        await playRequest(peer, ask),
        await playResponse(peer, answerOf(one), answerPieces),
      ];
      using peer = wirePeer((await serverFor(ask.policies)).session, cut, mode);
      return differs(one.id, await play(peer), await play(corePeer(ask)));
    });
    expect((await Promise.all(differing)).flat()).toStrictEqual([]);
  });
});

/** In full duplex Envoy has taken it away. */
const withoutLength = (verdict: RequestVerdict): RequestVerdict =>
  verdict.kind === "forwarded"
    ? { ...verdict, headers: verdict.headers.filter(([name]) => name !== "content-length") }
    : verdict;

/** Bytes as text: a Buffer and a Uint8Array are not equal. */
function differs(id: string, wire: unknown, core: unknown): readonly unknown[] {
  const [wireText, coreText] = [wire, core].map((value) => JSON.stringify(value, bytesAsText));
  return wireText === coreText ? [] : [{ id, wire: wireText?.slice(0, 500), core: coreText?.slice(0, 500) }];
}

function bytesAsText(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key];
  return raw instanceof Uint8Array ? Buffer.from(raw).toString("latin1") : value;
}

describe("a stream of an Envoy that is configured otherwise, or that says what no Envoy says", () => {
  const cases = REQUEST_CASES.filter((one) => isProtocolCase(one) && !(one.id in LATER));
  /** Contested: the answer's body is asked for by us, per call. */
  const EXPECTED: Readonly<Record<string, string>> = { "xpr-006": "goes on" };

  test.each(cases.map((one) => [`${one.id}, ${one.description}`, one] as const))(
    "lets no request through unread: %s",
    async (_title, one) => {
      const { session } = await serverFor(askOf(one).policies);
      // As the case has it, and with the answers' mode that we want, so that it is not refused for that alone.
      const asItIs = playScript(session, one, modeOf(one.ext_proc?.protocol_config?.response_body_mode));
      const asWeWant = playScript(session, one, BODY_SEND_MODE.NONE);
      expect(await asWeWant).toBe(EXPECTED[one.id] ?? "is refused");
      expect(await asItIs).toBe(EXPECTED[one.id] ?? "is refused");
    },
  );
});

const modeOf = (name: string | undefined): BodySendMode => {
  const mode = Object.entries(BODY_SEND_MODE).find(([key]) => key === name)?.[1];
  if (mode === undefined) throw new Error(`no body mode ${String(name)}`);
  return mode;
};

/** Sends the messages of the script, one after the other's answer, and says what an Envoy would make of the answers. */
async function playScript(session: ClientHttp2Session, one: RequestCase, responseBodyMode: BodySendMode) {
  const ask = askOf(one);
  const requestBodyMode = modeOf(one.ext_proc?.protocol_config?.request_body_mode);
  using peer = wirePeer(session, (bytes) => [bytes]);
  let isFirst = true;
  for (const said of one.ext_proc?.messages ?? []) {
    const kind = said.replace(/\(.*/, "");
    if (kind === "immediate_response") continue; // Ours, not Envoy's.
    if (kind === "half_close") {
      if (await peer.leave()) return "goes on";
      continue;
    }
    const protocolConfig = said.includes("no protocol_config")
      ? {}
      : { protocolConfig: { requestBodyMode, responseBodyMode } };
    const { protocolConfig: _, ...headers } = requestHeaders(isFirst ? ask : { ...ask, headers: elsewhere(ask) });
    const message =
      kind === "request_headers"
        ? { ...headers, ...protocolConfig, observabilityMode: said.includes("observability_mode") }
        : bodyMessage(kind, ask, !said.includes("eos=false"));
    const answer = await peer.ask(message);
    isFirst = false;
    if (answer.kind === "immediate") return "is refused";
    if (answer.kind === "ended") return answer.ok ? "goes on" : "is refused";
    // Held until the body's answer, where a body is shown at all.
    if (kind !== "request_headers" || requestBodyMode === BODY_SEND_MODE.NONE) return "goes on";
  }
  return "is refused";
}

const elsewhere = (ask: Ask) =>
  ask.headers.map(([name, value]) => [name, name === ":path" ? "/elsewhere" : value] as const);

function bodyMessage(kind: string, { body }: Ask, endOfStream: boolean) {
  if (kind === "request_body") return { request: "requestBody", requestBody: { body, endOfStream } } as const;
  throw new Error(`no message ${kind} is expected here`);
}

describe("what the operator sees", () => {
  test("is one line, whatever a name holds (obs-002, obs-006)", async () => {
    for (const id of ["obs-002", "obs-006"]) {
      const { lines } = await recordsOf(caseOf(id));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^[\x20-\x7e]+\n?$/);
    }
  });

  test("is no argument of a call (obs-005)", async () => {
    const { lines } = await recordsOf(caseOf("obs-005"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"tool":"echo"');
    expect(lines[0]).not.toContain("hunter2");
  });

  test("is no new series for a name that somebody has invented (obs-003)", async () => {
    const ask = caseOf("obs-003");
    const invented = Buffer.from(Buffer.from(ask.body).toString().replace("zz-", "yy-"));
    const { series } = await recordsOf({ ...ask, body: invented });
    expect((await recordsOf(ask)).series).toStrictEqual(series);
  });
});

test("every line of the corpus is as docs/decision-log.md says", async () => {
  const started = await Promise.all(servers.values());
  const lines = new Set(started.flatMap(({ records }) => records.map(formatDecision)));
  expect(lines.size).toBeGreaterThan(500);
  expect([...lines].flatMap(lineFaults)).toStrictEqual([]);
});

function unknownCase(id: string): never {
  throw new Error(`the corpus has no request ${id}`);
}

const caseOf = (id: string): Ask => askOf(REQUEST_CASES.find((one) => one.id === id) ?? unknownCase(id));

async function recordsOf(ask: Ask): Promise<{ readonly lines: readonly string[]; readonly series: readonly string[] }> {
  const server = await serverFor(ask.policies);
  const before = server.records.length;
  using peer = wirePeer(server.session, (bytes) => [bytes]);
  await playRequest(peer, ask);
  const answer = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}';
  const headers = [
    [":status", "200"],
    ["content-type", "application/json"],
  ] as const;
  await playResponse(peer, { headers, body: Buffer.from(answer), stalls: false }, (body) => [body]);
  const series = (await server.expose())
    .split("\n")
    // Not those of Node itself, which come and go with its handles.
    .filter((line) => /^(?:toolgate|mcp)_/.test(line))
    .map((line) => line.replace(/ \S+$/, ""));
  expect(series).not.toHaveLength(0);
  return { lines: server.records.slice(before).map(formatDecision), series };
}
