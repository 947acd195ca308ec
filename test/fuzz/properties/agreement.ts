/**
 * P1. What is forwarded means one thing: readers in three languages find the same calls in it, policy grants each of them
 * in words of its own, the headers beside it say nothing else, and they are what our metadata and logs say.
 */
import assert from "node:assert/strict";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import type { RequestCase } from "../case.ts";
import { isObject } from "../client-view.ts";
import { requests } from "../generators/requests.ts";
import { judge } from "../judge.ts";
import type { Verdict } from "../judge.ts";
import type { Property } from "../property.ts";
import { callsIn, readWithJson } from "../reading.ts";
import type { Call } from "../reading.ts";
import { CALLERS, hasAccess, mayCall, POLICIES } from "../world.ts";

export const agreement: Property<RequestCase> = {
  name: "agreement",
  promise: "what is forwarded is read by all readers as one call, which policy grants and headers and logs name",
  needs: ["python", "jiter", "go"],
  cases: requests,
  async check({ caller, headers, body }, readers) {
    const verdict = judge({ policies: POLICIES, identity: CALLERS[caller], headers, body });
    if (verdict.kind === "blocked") return `blocked: ${verdict.reason}`;
    if (body.length === 0) {
      assert(hasAccess(caller), "who has no access at all opens or ends a session");
      return `forwarded: ${verdict.said[0]?.method}`;
    }
    const readings = { "JSON.parse": readWithJson(verdict.body), ...(await readers.calls(verdict.body)) };
    const all = Object.entries(readings).map(([name, one]) => [name, callsIn(one)] as const);
    const { isBatch, calls: found } = callsIn(readings["JSON.parse"]);
    for (const [name, other] of all) assert.deepEqual(other, { isBatch, calls: found }, `${name} reads something else`);
    const calls = found.filter((call) => typeof call === "object");
    assert(calls.length === found.length && calls.length > 0, "a part of it is no call");
    assert(
      calls.every((call) => mayCall(caller, inEra(call, verdict.headers))),
      `${caller} may not make this call`,
    );
    if (verdict.isSealed) {
      assert.deepEqual(
        calls.map(({ method }) => method),
        ["ping"],
        "in place of what was refused goes no ping",
      );
      return "sealed";
    }
    const named = calls.map(({ method, target }) => ({
      method: method === "pong" ? "answer" : method,
      name: target?.name,
    }));
    assert.deepEqual(verdict.said, named, "we say that it is another call");
    assert(!isBatch || calls.every(({ method }) => method !== "initialize"), "initialize is in a batch");
    checkHeaders(verdict, calls);
    return `forwarded: ${isBatch ? "a batch" : calls[0]?.method}`;
  },
};

const MODERN = "2026-07-28";
const WITH_NAME_HEADER = ["tools/call", "prompts/get", "resources/read"];

const valuesOf = (headers: HeaderList, name: string): readonly string[] =>
  headers.flatMap(([key, value]) => (key === name ? [value] : []));

/** Since 2026-07-28 a server does not look at whether a call asks for a task. */
const inEra = (call: Call, headers: HeaderList): Call =>
  valuesOf(headers, "mcp-protocol-version").includes(MODERN) ? { ...call, asksTask: false } : call;

function checkHeaders({ headers, body }: Verdict & { kind: "forwarded" }, calls: readonly Call[]): void {
  const values = (name: string): readonly string[] => valuesOf(headers, name);
  assert.deepEqual(values("content-type"), ["application/json"], "the content type");
  for (const name of ["content-encoding", "accept-encoding", "range"])
    assert.deepEqual(values(name), [], "a header that hides the body or the answer");
  assert(
    values("content-length").every((length) => length === String(body.length)),
    "the length is that of another body",
  );
  const [method, name] = [values("mcp-method"), values("mcp-name").map(decoded)];
  const params = headers.filter(([key]) => key.startsWith("mcp-param-")).map(([, value]) => decoded(value));
  if (!values("mcp-protocol-version").includes(MODERN)) {
    assert.deepEqual([...method, ...name, ...params], [], "headers that mean nothing in this era");
    return;
  }
  const [call] = calls;
  assert(call !== undefined && calls.length === 1, "a batch in an era that has none");
  const isNotification = call.method.startsWith("notifications/");
  assert.deepEqual(
    method,
    isNotification && method.length === 0 ? [] : [call.method],
    "Mcp-Method says something else",
  );
  const isNamed = WITH_NAME_HEADER.includes(call.method) || name.length > 0;
  assert.deepEqual(name, isNamed ? [call.target?.name ?? call.taskId] : [], "Mcp-Name says something else");
  const { params: inBody } = JSON.parse(Buffer.from(body).toString()) as { params?: { arguments?: unknown } };
  const leaves = leavesOf(inBody?.arguments);
  assert(
    params.every((param) => leaves.some((leaf) => param === String(leaf) || (leaf !== "" && Number(param) === leaf))),
    "Mcp-Param says what no argument does",
  );
}

/** The plain values in an object and in the objects in it. */
const leavesOf = (value: unknown): readonly unknown[] =>
  isObject(value) ? Object.values(value).flatMap(leavesOf) : Array.isArray(value) ? [] : [value];

/** The header `Mcp-Name` as a server decodes it. */
function decoded(value: string): string {
  const base64 = /^=\?base64\?(.*)\?=$/.exec(value.trim())?.[1];
  return Buffer.from(base64 ?? value.trim(), base64 === undefined ? "latin1" : "base64").toString();
}
