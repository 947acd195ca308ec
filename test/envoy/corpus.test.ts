/**
 * The attack corpus through a real Envoy, in front of a server that writes down what it gets: what a case is judged by is
 * what was executed and what a client has received, not what anybody says of it. Envoy may refuse a case by itself.
 * `test/core/corpus.test.ts` and `test/grpc/corpus.test.ts` are the same without an Envoy.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askOf, REQUEST_CASES, RESPONSE_CASES } from "../fixtures/corpus.ts";
import type { RequestCase, ResponseCase } from "../fixtures/corpus.ts";
import { expectedOf, OTHER_DELIVERY } from "../fixtures/corpus/choices.ts";
import { corePeer } from "../fixtures/corpus/core-peer.ts";
import { playRequest } from "../fixtures/corpus/envoy.ts";
import { expectForwarded } from "../fixtures/corpus/forwarded.ts";
import { LATER } from "../fixtures/corpus/later.ts";
import { expectSeen, isWithheld } from "../fixtures/corpus/seen.ts";
import { ANY_PATH, authorityOf, BODIES_ALONE, FULL_DUPLEX } from "./corpus/authorities.ts";
import type { Received, Sent } from "./corpus/client.ts";
import { coreDelivers } from "./corpus/core-delivers.ts";
import { overHttp1 } from "./corpus/http1-client.ts";
import { overHttp2 } from "./corpus/http2-client.ts";
import {
  CLEANED_BY_ENVOY,
  NOT_ON_ENVOY,
  OTHER_BLOCK,
  OTHER_BLOCK_ALONE,
  REFUSED_ALONE,
  SEEN_ALONE,
  wrongModeOf,
} from "./corpus/on-envoy.ts";
import { EXECUTED } from "./corpus/recorder.ts";
import type { Arrival } from "./corpus/recorder.ts";
import { markerOf, Ring } from "./corpus/ring.ts";
import type { Outcome, Way } from "./corpus/ring.ts";
import { describeWithEnvoy } from "./real-envoy.ts";

const HTTP1: Way = { name: "over HTTP/1.1", client: overHttp1 };
const HTTP2: Way = { name: "over HTTP/2", client: overHttp2 };
const onAnyPath = (way: Way): Way => ({ ...way, name: `${way.name}, on a route for every path`, authority: ANY_PATH });
const inDuplex = (way: Way): Way => ({ ...way, name: `${way.name}, in full duplex`, authority: FULL_DUPLEX });

const bodiesAlone = (way: Way): Way => ({ ...way, name: `${way.name}, without headers`, authority: BODIES_ALONE });
/** As most clients tell it: a request is one message only when its length is known. */
const HTTP2_WITH_LENGTH: Way = { ...HTTP2, client: (target, sent) => overHttp2(target, withLength(sent)) };

/** HTTP/2 has no headers of one connection (RFC 9113, 8.2.2). */
const isInHttp2 = ({ http }: RequestCase): boolean =>
  !http.headers.some(([name]) => name === "connection" || name === "transfer-encoding");
/** The gateway has one route, for this path and whatever follows its question mark. */
const hasOtherPath = ({ http }: RequestCase): boolean => http.path.split("?")[0] !== "/mcp";
const hasAnyAuthority = (one: RequestCase | ResponseCase): boolean => authorityOf(one) === undefined;

const requests = REQUEST_CASES.filter((one) => !(one.id in NOT_ON_ENVOY));
const otherPaths = requests.filter(hasOtherPath);
const movable = requests.filter((one) => hasAnyAuthority(one) && !hasOtherPath(one));
const REQUEST_WAYS: readonly { readonly way: Way; readonly cases: readonly RequestCase[] }[] = [
  { way: HTTP1, cases: requests },
  { way: HTTP2, cases: requests.filter(isInHttp2) },
  { way: onAnyPath(HTTP1), cases: otherPaths },
  { way: onAnyPath(HTTP2), cases: otherPaths },
  { way: inDuplex(HTTP1), cases: movable },
  { way: inDuplex(HTTP2), cases: movable.filter(isInHttp2) },
  { way: bodiesAlone(HTTP1), cases: movable },
  // About a body that never ends nobody is asked.
  { way: bodiesAlone(HTTP2_WITH_LENGTH), cases: movable.filter((one) => isInHttp2(one) && one.stall_after !== true) },
];
const movableAnswers = RESPONSE_CASES.filter(hasAnyAuthority);
const ANSWER_WAYS: readonly { readonly way: Way; readonly cases: readonly ResponseCase[] }[] = [
  { way: HTTP1, cases: RESPONSE_CASES },
  { way: HTTP2, cases: RESPONSE_CASES },
  { way: inDuplex(HTTP1), cases: movableAnswers },
  { way: inDuplex(HTTP2), cases: movableAnswers },
  { way: bodiesAlone(HTTP1), cases: movableAnswers },
  { way: bodiesAlone(HTTP2_WITH_LENGTH), cases: movableAnswers },
];

const titled = <T extends RequestCase | ResponseCase>(cases: readonly T[]) =>
  cases.map((one) => [`${one.id}, ${one.description}`, one] as const);
const isRun = (one: RequestCase | ResponseCase): boolean => !(one.id in LATER);

let ring: Ring;

describeWithEnvoy("the corpus through a real Envoy", () => {
  beforeAll(async () => {
    ring = await Ring.start();
  });
  afterAll(() => ring[Symbol.asyncDispose]());

  test("leaves out the cases that no Envoy brings about, and no other", () => {
    const impossible = REQUEST_CASES.filter(
      (one) =>
        one.ext_proc?.header_value_conflict !== undefined ||
        (one.ext_proc?.messages !== undefined && wrongModeOf(one) === undefined),
    );
    expect(Object.keys(NOT_ON_ENVOY).sort()).toStrictEqual(impossible.map(({ id }) => id).sort());
  });

  describe.each(REQUEST_WAYS)("a request $way.name", ({ way, cases }) => {
    let outcomes: ReadonlyMap<string, Outcome>;
    beforeAll(async () => {
      outcomes = await ring.play(cases, way);
    });
    const outcomeOf = (one: RequestCase): Outcome => found(outcomes, one.id);
    const run = cases.filter(isRun);
    const isRefusedHere = (one: RequestCase): boolean => way.authority === BODIES_ALONE && one.id in REFUSED_ALONE;
    const isCleaned = (one: RequestCase): boolean => one.id in CLEANED_BY_ENVOY;
    const blocked = run.filter((one) => expectedOf(one) === "block" && !isCleaned(one));

    test.each(titled(blocked))("reaches no server: %s", (_title, one) => {
      expectBlocked(outcomeOf(one));
    });

    test.each(titled(run.filter(isRefusedHere)))("reaches no server here: %s", (_title, one) => {
      expectBlocked(outcomeOf(one));
    });

    test.each(titled(run.filter((one) => expectedOf(one) === "allow" && !isRefusedHere(one))))(
      "reaches the server once, and is answered: %s",
      (_title, one) => {
        expectExecuted(one, outcomeOf(one), markerOf(one, way));
      },
    );

    test.each(titled(run.filter(isCleaned)))(
      "reaches the server without what it is to be blocked for: %s",
      (_title, one) => {
        const { headers } = expectExecuted(one, outcomeOf(one), markerOf(one, way));
        for (const name of CLEANED_BY_ENVOY[one.id] ?? []) expect(headers.map(([key]) => key)).not.toContain(name);
      },
    );

    test.fails.each(titled(cases.filter((one) => !isRun(one))))("reaches the server still: %s", (_title, one) => {
      expectBlocked(outcomeOf(one));
    });

    test("is blocked as the core blocks it, with the exceptions we know of", async () => {
      const others: Record<string, string> = {};
      for (const one of blocked) {
        const ask = askOf(one);
        const verdict = await playRequest(corePeer(ask), ask);
        const by = blockedBy(outcomeOf(one));
        // The core is not asked about the mode of a route.
        if (verdict.kind !== "blocked" || by !== verdict.details || wrongModeOf(one) !== undefined) others[one.id] = by;
      }
      const reasons = { ...OTHER_BLOCK, ...(way.authority === BODIES_ALONE ? OTHER_BLOCK_ALONE : {}) };
      const known = blocked.filter((one) => reasons[one.id] !== undefined && way.authority !== ANY_PATH);
      expect(others).toStrictEqual(Object.fromEntries(known.map(({ id }) => [id, reasons[id]?.by])));
    });
  });

  describe.each(ANSWER_WAYS)("an answer $way.name", ({ way, cases }) => {
    let outcomes: ReadonlyMap<string, Outcome>;
    beforeAll(async () => {
      outcomes = await ring.play(cases, way);
    });
    const run = cases.filter(isRun);

    const isSeenHere = (one: ResponseCase): boolean => way.authority === BODIES_ALONE && one.id in SEEN_ALONE;

    test.each(titled(run.filter((one) => !isSeenHere(one))))("shows the client what it may see: %s", (_title, one) => {
      expectSeen(one, answerTo(outcomes, one));
    });

    test.fails.each(titled(run.filter(isSeenHere)))("shows the client more than it may see: %s", (_title, one) => {
      expectSeen(one, answerTo(outcomes, one));
    });

    test.each(titled(cases))("is delivered as the core says: %s", async (_title, one) => {
      const { status, body, isWhole } = answerTo(outcomes, one);
      const core = await coreDelivers(one);
      expect([status, textOf(body)]).toStrictEqual([core.status, textOf(core.body)]);
      expect(isWhole).toBe(one.stall_after !== true);
    });

    test("is withheld where the corpus says so, with the exceptions we know of", () => {
      const others: Record<string, string> = {};
      for (const one of run) {
        const by = blockedBy(found(outcomes, one.id));
        const { body } = answerTo(outcomes, one);
        const details = by.startsWith("toolgate_") ? by : undefined;
        const we = isWithheld({ body, details }) ? "withheld" : "delivered";
        if (we !== (expectedOf(one) === "block" ? "withheld" : "delivered")) others[one.id] = we;
      }
      expect(others).toStrictEqual(Object.fromEntries(Object.keys(OTHER_DELIVERY).map((id) => [id, "delivered"])));
    });

    test.fails.each(titled(cases.filter((one) => !isRun(one))))("is not right yet: %s", (_title, one) => {
      expectSeen(one, answerTo(outcomes, one));
    });
  });

  // The last ones: every request has been played by now.
  test("a body whose length was known goes on without it in full duplex, and with it elsewhere", () => {
    const [one] = movable.filter(({ id }) => id === "ctl-001");
    const hasLength = (way: Way): boolean | undefined =>
      one && ring.recorder.arrivals(markerOf(one, way))[0]?.headers.some(([name]) => name === "content-length");
    expect([HTTP1, inDuplex(HTTP1)].map(hasLength)).toStrictEqual([true, false]);
  });

  test("nothing has reached the server but what a case has sent", () => {
    const sent = [
      ...REQUEST_WAYS.flatMap(({ way, cases }) => cases.map((one) => markerOf(one, way))),
      ...ANSWER_WAYS.flatMap(({ way, cases }) => cases.map((one) => markerOf(one, way))),
    ];
    expect(ring.recorder.markers.filter((marker) => !sent.includes(marker))).toStrictEqual([]);
  });
});

function withLength(sent: Sent): Sent {
  const { headers, body } = sent;
  if (body.length === 0 || headers.some(([name]) => name === "content-length" || name === "transfer-encoding"))
    return sent;
  return { ...sent, headers: [...headers, ["content-length", String(body.length)]] };
}

function found(outcomes: ReadonlyMap<string, Outcome>, id: string): Outcome {
  const outcome = outcomes.get(id);
  if (outcome === undefined) throw new Error(`${id} was not played`);
  return outcome;
}

function expectBlocked({ arrivals, received }: Outcome): void {
  expect(arrivals).toStrictEqual([]);
  expect(received?.headers.map(([name]) => name) ?? []).not.toContain(EXECUTED);
}

/** One message, whole and as it was meant, and the client has the answer of the one who executed it. */
function expectExecuted(one: RequestCase, { arrivals, received }: Outcome, marker: string): Arrival {
  const [arrival, ...more] = arrivals;
  if (arrival === undefined) throw new Error(`it is blocked: ${JSON.stringify(received)}`);
  expect(more).toStrictEqual([]);
  expect(arrival).toMatchObject({ method: one.http.method, trailers: [], isWhole: true });
  expectForwarded(one, arrival);
  expectAnswered(one, received, marker);
  return arrival;
}

function expectAnswered(one: RequestCase, received: Received | undefined, marker: string): void {
  if (received === undefined) throw new Error("the client has no answer");
  expect(received.isWhole).toBe(true);
  expect(received.headers).toContainEqual([EXECUTED, marker]);
  const { body } = askOf(one);
  const { id } = (body.length === 0 ? {} : JSON.parse(textOf(body))) as { id?: unknown };
  if (id === undefined) return;
  expect(received.status).toBe(200);
  expect(JSON.parse(textOf(received.body))).toStrictEqual({ jsonrpc: "2.0", id, result: expect.any(Object) });
}

function blockedBy({ details }: Outcome): string {
  if (details?.startsWith("ext_proc_error") === true) return "an error";
  return details?.startsWith("toolgate_") === true ? details : "Envoy";
}

function answerTo(outcomes: ReadonlyMap<string, Outcome>, one: ResponseCase): Received {
  const { received, arrivals } = found(outcomes, one.id);
  if (received === undefined) throw new Error("the client has no answer");
  expect(arrivals).toHaveLength(1);
  return received;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
