/**
 * The attack corpus through the core, without a wire. `test/grpc/corpus.test.ts` is the same with one.
 *
 * The promise is the first verdict: nothing that has to be blocked goes on, nothing that is allowed is blocked. Whether a
 * block is called a denial or malformed is the second, weaker one: where we say it differently, a table says so.
 */
import { describe, expect, test } from "vitest";
import {
  AUTHZ_CASES,
  answerOf,
  askOf,
  CORPUS_SIZE,
  precedingAsk,
  REQUEST_CASES,
  RESPONSE_CASES,
  seededCut,
} from "../fixtures/corpus.ts";
import type { Expected, RequestCase, ResponseCase } from "../fixtures/corpus.ts";
import type { HeaderList } from "../../src/core/mcp/headers.ts";
import { corePeer } from "../fixtures/corpus/core-peer.ts";
import { CONTESTED, expectedOf, OTHER_CLASS, OTHER_DELIVERY } from "../fixtures/corpus/choices.ts";
import { playRequest, playResponse } from "../fixtures/corpus/envoy.ts";
import type { Delivered, RequestVerdict } from "../fixtures/corpus/envoy.ts";
import { expectForwarded } from "../fixtures/corpus/forwarded.ts";
import { LATER } from "../fixtures/corpus/later.ts";
import { expectSeen, isWithheld } from "../fixtures/corpus/seen.ts";

/** What has to be seen at the wire: modes, and messages in an order that Envoy does not have. */
const isProtocolCase = (one: RequestCase): boolean => one.ext_proc?.messages !== undefined;

const titled = <T extends RequestCase | ResponseCase>(cases: readonly T[]) =>
  cases.map((one) => [`${one.id}, ${one.description}`, one] as const);
const found = (id: string): RequestCase => {
  const one = REQUEST_CASES.find((other) => other.id === id);
  if (one === undefined) throw new Error(`the corpus has no request ${id}`);
  return one;
};

const isRun = (one: RequestCase | ResponseCase): boolean => !(one.id in LATER);

async function judge(one: RequestCase): Promise<RequestVerdict> {
  const ask = askOf(one);
  return playRequest(corePeer(ask), ask);
}

const DEFAULT_MAX_BODY_BYTES = 4_194_304;

describe("the corpus", () => {
  test("is whole", () => {
    expect(CORPUS_SIZE).toBe(366);
    expect(REQUEST_CASES.length + RESPONSE_CASES.length + AUTHZ_CASES.length).toBe(366);
  });

  test("has a choice of ours for each contested case that is run, and for no other", () => {
    const contested = [...REQUEST_CASES, ...RESPONSE_CASES, ...AUTHZ_CASES].filter(
      (one) => one.contested === true && isRun(one),
    );
    expect(Object.keys(CONTESTED)).toStrictEqual(contested.map(({ id }) => id).sort());
  });

  test("has every case that is left for later", () => {
    const ids = [...REQUEST_CASES, ...RESPONSE_CASES].map(({ id }) => id);
    expect(Object.keys(LATER).filter((id) => !ids.includes(id))).toStrictEqual([]);
  });
});

describe("a request", () => {
  const cases = REQUEST_CASES.filter((one) => isRun(one) && !isProtocolCase(one));

  test.each(titled(cases.filter((one) => expectedOf(one) === "block")))("is blocked: %s", async (_title, one) => {
    const verdict = await judge(one);
    expect(verdict.kind).toBe(one.stall_after === true ? "failed" : "blocked");
  });

  test.each(titled(cases.filter((one) => expectedOf(one) === "allow")))("is let through: %s", async (_title, one) => {
    await expectSettled(one, await judge(one));
  });

  test("is read to its end where the size allows it, and not only to the limit that the corpus assumes", async () => {
    const verdicts = ["lim-007", "lim-008"].map(async (id) => {
      const ask = askOf(found(id));
      const verdict = await playRequest(corePeer(ask, DEFAULT_MAX_BODY_BYTES), ask);
      return verdict.kind === "blocked" ? verdict.details : verdict.kind;
    });
    expect(await Promise.all(verdicts)).toStrictEqual(["forwarded", "toolgate_no-rule-allows"]);
  });

  test.fails.each(titled(REQUEST_CASES.filter((one) => one.id in LATER && one.category === "session")))(
    "is not blocked yet: %s",
    async (_title, one) => {
      expect((await judge(one)).kind).toBe("blocked");
    },
  );

  test("is blocked for a reason of the class that the corpus names, with the exceptions we know of", async () => {
    const others: Record<string, string> = {};
    for (const one of cases) {
      const verdict = await judge(one);
      if (verdict.kind !== "blocked" || one.expected === "allow") continue;
      if (classOf(verdict.details) !== one.expected) others[one.id] = `${one.expected}: ${verdict.details}`;
    }
    expect(others).toStrictEqual(OTHER_CLASS);
  });
});

const DENIALS = ["no-rule-allows", "denied-by-rule", "no-access", "invalid-policy", "unknown-server", "unknown-method"];
const classOf = (details: string): Expected =>
  DENIALS.includes(details.replace("toolgate_", "")) ? "deny" : "reject-malformed";

/** It goes on, and in a form in which it would go on again as it is. */
async function expectSettled(one: RequestCase, verdict: RequestVerdict): Promise<void> {
  if (verdict.kind !== "forwarded") throw new Error(`it is blocked: ${JSON.stringify(verdict)}`);
  expectForwarded(one, verdict);
  const ask = askOf(one);
  if (ask.body.length === 0) return;
  const { headers, body } = verdict;
  const again = await playRequest(corePeer(ask), { ...ask, headers, body, trailers: undefined });
  expect(again).toStrictEqual(verdict);
}

describe("an answer", () => {
  const cases = RESPONSE_CASES.filter(isRun);

  test.each(titled(cases))("shows the client what it may see: %s", async (_title, one) => {
    for (const cut of CUTS) expectSeen(one, await deliver(one, cut));
  });

  test.each(titled(cases.filter(isSmall)))(
    "is the same however the server's bytes are cut: %s",
    async (_title, one) => {
      const whole = await deliver(one, (body) => [body]);
      for (const cut of [BYTEWISE, ...CUTS]) expect(seenBy(await deliver(one, cut))).toStrictEqual(seenBy(whole));
    },
  );

  test("is withheld where the corpus says so, with the exceptions we know of", async () => {
    const others: Record<string, string> = {};
    for (const one of cases) {
      const we = isWithheld(await deliver(one, isSmall(one) ? BYTEWISE : CUTS[1])) ? "withheld" : "delivered";
      const expected = expectedOf(one) === "block" ? "withheld" : "delivered";
      if (we !== expected) others[one.id] = we;
    }
    expect(others).toStrictEqual(Object.fromEntries(Object.keys(OTHER_DELIVERY).map((id) => [id, "delivered"])));
  });

  test.fails.each(titled(RESPONSE_CASES.filter((one) => !isRun(one))))("is not right yet: %s", async (_title, one) => {
    expectSeen(one, await deliver(one, (body) => [body]));
  });
});

const isSmall = (one: ResponseCase): boolean => answerOf(one).body.length <= 4096;
const BYTEWISE = seededCut(0, 1);
const CUTS = [(body: Uint8Array) => [body], seededCut(1, 65_536), seededCut(2, 16), seededCut(3, 200)] as const;

async function deliver(one: ResponseCase, cut: (body: Uint8Array) => readonly Uint8Array[]): Promise<Delivered> {
  const ask = precedingAsk(one);
  const peer = corePeer(ask);
  const verdict = await playRequest(peer, ask);
  if (verdict.kind !== "forwarded") throw new Error(`its request is blocked: ${JSON.stringify(verdict)}`);
  const delivered = await playResponse(peer, answerOf(one), cut);
  if (delivered === "failed") throw new Error("the stream ends with an error");
  return delivered;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const seenBy = ({ status, body, details }: Delivered) => ({ status, details, body: textOf(body) });

/** Found beside the corpus: each is one way to show a list to some client without us having read it. */
describe("an answer that the corpus does not have", () => {
  const LIST = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get-env"}]}}';
  const SSE = [["content-type", "text/event-stream"]] as const;
  const cases: readonly (readonly [title: string, status: number, headers: HeaderList, body: string])[] = [
    ["JSON that is called an event stream", 200, SSE, `${LIST}\n\n`],
    ["a field name in another case", 200, SSE, `Data: ${LIST}\n\n`],
    ["a space before the colon", 200, SSE, `data : ${LIST}\n\n`],
    ["an unknown field beside the data", 200, SSE, `data: ${LIST.replace("get-env", "echo")}\nDATA: ${LIST}\n\n`],
    ["a form feed, a line end to Python's splitlines, in a comment", 200, SSE, `: x\fdata: ${LIST}\n\n`],
    ["a vertical tab, another one, in an id", 200, SSE, `id: x\u000bdata: ${LIST}\ndata: {}\n\n`],
    ["a retry that is no number", 200, SSE, `retry: ${LIST}\n\n`],
    ["a 202 of another type", 202, [["content-type", "text/plain"]], LIST],
    ["a 202 without a type", 202, [], LIST],
  ];

  test.each(cases)("shows nothing that is hidden: %s", async (_title, status, headers, body) => {
    const ask = askOf(found("ctl-009"));
    const peer = corePeer(ask);
    await playRequest(peer, ask);
    const answer = {
      headers: [[":status", String(status)], ...headers] as const,
      body: Buffer.from(body),
      stalls: false,
    };
    const delivered = await playResponse(peer, answer, (bytes) => [bytes]);
    expect(delivered === "failed" ? "" : textOf(delivered.body)).not.toContain("get-env");
  });
});

test("a notification of the modern era does not carry an Mcp-Name that nobody has checked", async () => {
  const ask = askOf(found("ctl-013"));
  const headers = ask.headers.filter(([name]) => name !== "mcp-method");
  const body = Buffer.from('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}');
  const verdict = await playRequest(corePeer(ask), { ...ask, headers, body });
  const names = verdict.kind === "forwarded" ? verdict.headers.map(([name]) => name) : [];
  expect(names).not.toContain("mcp-name");
});
