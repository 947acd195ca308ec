/**
 * What Toolgate says of 5,000 calls is what they were: each call is on record once, as the script has it, in the decision
 * log and on the tap; and every number of the metrics and of the admin API is the sum that the script comes to.
 */
import { once } from "node:events";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithEnvoy } from "../envoy/real-envoy.ts";
import type { Stack } from "../envoy/stack.ts";
import type { Toolgate } from "../envoy/toolgate-process.ts";
import { CALLS, linesOf, made, play, records } from "./play.ts";
import type { OnRecord } from "./script.ts";
import { METRICS, countBy, nameOf, seriesOf, sumsOf } from "./sums.ts";

type Line = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, string>> & Readonly<Record<"requests" | "denied" | "audited" | "allowed", number>>;

describeWithEnvoy(`of ${CALLS} calls whose ends are known`, () => {
  let stack: Stack;
  let tap: Tap;
  let exposition = "";

  beforeAll(async () => {
    stack = await play(async ({ toolgate }) => {
      tap = await Tap.open(toolgate);
    });
    exposition = await stack.toolgate.admin("/metrics");
  });
  afterAll(async () => {
    tap.close();
    await stack[Symbol.asyncDispose]();
  });

  test("the script has every way in which a call can end, and every era and caller", () => {
    const outcomes = new Set(records.map(({ outcome }) => outcome));
    expect([...outcomes].toSorted()).toEqual(
      "cancelled denied input_required ok rejected rpc_error timeout tool_error transport_error unread".split(" "),
    );
    expect(new Set(records.map(({ caller }) => caller)).size).toBe(4);
  });

  test("the decision log has each once, as it was", () => {
    expect(disagreements(stack.toolgate.decisions)).toEqual([]);
  });

  test("the tap has shown each line of the log, and no other", async () => {
    const { toolgate } = stack;
    const logged = linesOf(toolgate.program).toSorted();
    await toolgate.program.until("all of them on the tap", () => tap.lines.length >= logged.length || undefined);
    expect(tap.lines.toSorted()).toEqual(logged);
  });

  test.each(Object.entries(METRICS))("%s is what they come to, by all of its labels", (name, labelsOf) => {
    expect(seriesOf(exposition, name)).toEqual(countBy(records, labelsOf));
  });

  describe("in the admin API", () => {
    const rowsOf = async (path: string): Promise<readonly Row[]> =>
      (JSON.parse(await stack.toolgate.admin(path)) as { readonly rows: readonly Row[] }).rows;
    const columns = ["requests", "answered", "denied", "tool_errors", "client_errors", "audited"] as const;
    const isCounted: Readonly<Record<(typeof columns)[number], (record: OnRecord) => boolean>> = {
      requests: () => true,
      answered: ({ outcome }) => !["denied", "cancelled", "unread"].includes(outcome),
      denied: ({ outcome }) => outcome === "denied",
      tool_errors: ({ outcome }) => outcome === "tool_error",
      client_errors: ({ outcome, code }) => outcome === "rejected" || (outcome === "rpc_error" && code !== -32_603),
      audited: ({ decision }) => decision === "audit",
    };

    test.each(columns)("the servers have their %s", async (column) => {
      const rows = await rowsOf("/api/stat/servers?window=300");
      expect(sumsOf(rows.map((row) => [{ server: row["server"] }, Number(row[column])] as const))).toEqual(
        countBy(records.filter(isCounted[column]), ({ server }) => ({ server })),
      );
    });

    test.each(columns)("the tools have their %s", async (column) => {
      const rows = await rowsOf("/api/stat/tools?window=300");
      const of = rows.map(
        (row) => [{ server: row["server"], method: row["method"], name: row["name"] }, Number(row[column])] as const,
      );
      const wanted = records.filter((record) => record.method.startsWith("tools/") && isCounted[column](record));
      expect(sumsOf(of)).toEqual(
        countBy(wanted, (record) => ({ server: record.server, method: record.method, name: nameOf(record) })),
      );
    });

    test.each(["requests", "denied"] as const)("who talks to whom, and the %s", async (column) => {
      const rows = await rowsOf("/api/edges?window=300&by=tool");
      const of = rows.map(
        (row) => [{ caller: row["caller"], server: row["server"], tool: row["tool"] }, row[column]] as const,
      );
      const wanted = records.filter((record) => record.method === "tools/call" && isCounted[column](record));
      expect(sumsOf(of)).toEqual(
        countBy(wanted, (record) => ({ caller: record.caller, server: record.server, tool: nameOf(record) })),
      );
    });

    test("what each rule has decided", async () => {
      const { rules } = JSON.parse(await stack.toolgate.admin("/api/policies")) as { readonly rules: readonly Row[] };
      const of = rules.flatMap((row) =>
        (["allowed", "denied", "audited"] as const).map(
          (column) => [{ policy: row["policy"], rule: row["rule"], column }, row[column]] as const,
        ),
      );
      const columnOf = { allow: "allowed", deny: "denied", audit: "audited" } as const;
      const named = records.filter(({ policy }) => policy !== "toolgate");
      const wanted = countBy(named, ({ policy, rule, decision }) => ({ policy, rule, column: columnOf[decision] }));
      expect(sumsOf(of.filter(([{ policy }]) => policy !== "toolgate"))).toEqual(wanted);
    });
  });

  /** What of the lines is not as the script has it, with the first call of each kind of disagreement. */
  function disagreements(lines: readonly Line[]): readonly string[] {
    const found = Map.groupBy(lines, (line) => String(line["request_id"]));
    const kinds = new Map<string, string[]>();
    for (const { id, records: wanted } of made) {
      const [want, got] = [textOf(wanted), textOf((found.get(id) ?? []).map(asOnRecord))];
      found.delete(id);
      if (want === got) continue;
      const kind = `wanted ${want}, got ${got}`.replaceAll(/\d+/g, "0");
      kinds.set(kind, [...(kinds.get(kind) ?? []), id]);
    }
    const strange = [...found.keys()].map((id) => `never made: ${id}`);
    return [...strange, ...[...kinds].map(([kind, ids]) => `${ids.length} times, first ${ids[0]}: ${kind}`)];
  }
});

const textOf = (some: readonly OnRecord[]): string =>
  some
    .map((one) => JSON.stringify(one))
    .toSorted()
    .join(" ");

/** In the order of members that the script has. */
const asOnRecord = (line: Line): OnRecord =>
  ({
    caller: line["caller"],
    server: line["server"],
    method: line["method"],
    tool: line["tool"],
    prompt: line["prompt"],
    resource: line["resource"],
    decision: line["decision"],
    policy: line["policy"],
    rule: line["rule"],
    reason: line["reason"],
    outcome: line["outcome"],
    code: line["error_code"],
    status: line["http_status"],
  }) as OnRecord;

/** All that `/api/tap` says, from before the first call on. */
class Tap {
  readonly #response: IncomingMessage;
  readonly lines: string[] = [];

  private constructor(response: IncomingMessage) {
    this.#response = response;
    let rest = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const complete = (rest + chunk).split("\n");
      rest = complete.pop() ?? "";
      // `event: dropped` is among them, and in no log.
      this.lines.push(
        ...complete.flatMap((line) => (line === "" || line === ":" ? [] : [line.replace(/^data: /, "")])),
      );
    });
    response.on("error", () => {});
  }

  static async open(toolgate: Toolgate): Promise<Tap> {
    const [response] = (await once(get(toolgate.adminAt("/api/tap")), "response")) as [IncomingMessage];
    return new Tap(response);
  }

  close(): void {
    this.#response.destroy();
  }
}
