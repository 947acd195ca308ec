import { describe, expect, test } from "vitest";
import { startPublisher } from "../../src/policies/publisher.ts";
import type { Publisher } from "../../src/policies/publisher.ts";
import { formatProblem } from "../../src/policies/source.ts";
import type { Delivery, PolicySource } from "../../src/policies/source.ts";
import { files, policy, server } from "./fixtures.ts";

const START = { "a.yaml": policy("one", "echo"), "s.yaml": server("everything") };
const delivery = (texts: Readonly<Record<string, string>>): Delivery => ({ kind: "files", files: files(texts) });
const GONE: Delivery = {
  kind: "unreadable",
  problem: { file: "policies", line: 1, path: "", message: "cannot be read" },
};

/** A source that delivers what the test hands it. */
function createSource(
  first: Delivery,
): PolicySource & { deliver: (next: Delivery) => void; readonly isWatched: () => boolean } {
  let listener: ((next: Delivery) => void) | undefined;
  return {
    deliver: (next) => listener?.(next),
    isWatched: () => listener !== undefined,
    watch: (onDelivery) => {
      listener = onDelivery;
      onDelivery(first);
      return {
        reload: () => Promise.resolve(onDelivery(first)),
        [Symbol.dispose]: () => {
          listener = undefined;
        },
      };
    },
  };
}

async function started(source: PolicySource): Promise<Publisher> {
  const publisher = await startPublisher(source, { trustDomain: "cluster.local" });
  if (!publisher.ok) throw new Error(publisher.error.message);
  return publisher.value;
}

const may = (publisher: Publisher, tool: string) => publisher.policies.get().isNamed("tools/everything", "tool", tool);

describe("startPublisher()", () => {
  test("has the first delivery in force when it resolves", async () => {
    const publisher = await started(createSource(delivery(START)));
    expect(may(publisher, "echo")).toBe(true);
    const { generation, problems, warnings, lastSyncedAtMs } = publisher.report.get();
    expect({ generation, problems, warnings }).toEqual({ generation: 1, problems: [], warnings: [] });
    expect(lastSyncedAtMs).toBeTypeOf("number");
  });

  test("answers the problem, and stops watching, when the source cannot be read at first", async () => {
    const source = createSource(GONE);
    expect(await startPublisher(source, { trustDomain: "cluster.local" })).toEqual({ ok: false, error: GONE.problem });
    expect(source.isWatched()).toBe(false);
  });

  test("puts each delivery in force with one change that nobody can see half of", async () => {
    const source = createSource(delivery(START));
    const publisher = await started(source);
    const seen: (readonly [boolean, boolean])[] = [];
    publisher.policies.subscribe((set) => {
      expect(set).toBe(publisher.policies.get());
      seen.push([may(publisher, "sum"), may(publisher, "sub")]);
    });
    source.deliver(delivery({ ...START, "a.yaml": policy("one", "sum"), "b.yaml": policy("two", "sub") }));
    source.deliver(delivery({ ...START, "a.yaml": policy("one", "x"), "b.yaml": policy("two", "y") }));
    expect(seen).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(publisher.report.get().generation).toBe(3);
  });

  test("leaves a set that somebody holds as it was", async () => {
    const source = createSource(delivery(START));
    const publisher = await started(source);
    const held = publisher.policies.get();
    source.deliver(delivery({ ...START, "a.yaml": policy("one", "sum") }));
    expect(held.isNamed("tools/everything", "tool", "echo")).toBe(true);
    expect(held.isNamed("tools/everything", "tool", "sum")).toBe(false);
  });

  test("reports problems after the policies they belong to, and does not count that as synced", async () => {
    const source = createSource(delivery(START));
    const publisher = await started(source);
    const before = publisher.report.get().lastSyncedAtMs;
    const heard: string[] = [];
    publisher.policies.subscribe(() => heard.push("policies"));
    publisher.report.subscribe(({ problems }) => heard.push(...problems.map(formatProblem)));
    source.deliver(delivery({ ...START, "a.yaml": policy("one", "sum").replace("Allow", "allow") }));
    expect(heard).toEqual([
      "policies",
      'a.yaml:7: spec.rules[0].action: must be one of "Allow", "Deny", but is "allow"',
    ]);
    expect(publisher.report.get().lastSyncedAtMs).toBe(before);
    expect(may(publisher, "echo")).toBe(true);
  });

  test("keeps everything when the source cannot be read later, beside the problems there are", async () => {
    const broken = { ...START, "b.yaml": policy("two", "sub").replace("Allow", "allow") };
    const source = createSource(delivery(broken));
    const publisher = await started(source);
    const { policies, report } = publisher;
    const before = policies.get();
    const [known] = report.get().problems;
    source.deliver(GONE);
    source.deliver(GONE);
    expect(policies.get()).toBe(before);
    expect(report.get().problems).toEqual([GONE.problem, known]);
    expect(report.get().generation).toBe(1);
    source.deliver(delivery(START));
    expect(report.get().problems).toEqual([]);
  });

  test("keeps everything when a delivery makes the compiler fail", async () => {
    const source = createSource(delivery(START));
    const publisher = await started(source);
    const [good] = files({ "a.yaml": policy("one", "sum") });
    const poison = new Proxy(good?.documents[0] ?? {}, {
      get: (target, name) => {
        if (name === "document") throw new Error("boom");
        return Reflect.get(target, name) as unknown;
      },
    }) as never;
    source.deliver({ kind: "files", files: [{ file: "a.yaml", documents: [poison], problems: [] }] });
    expect(may(publisher, "echo")).toBe(true);
    expect(publisher.report.get().problems.map(formatProblem)).toEqual([
      "a.yaml:1: these files made the compiler fail, which is a bug in Toolgate: boom",
    ]);
  });

  test("reads again on demand and stops watching when disposed of", async () => {
    const source = createSource(delivery(START));
    const publisher = await started(source);
    await publisher.reload();
    expect(publisher.report.get().generation).toBe(2);
    publisher[Symbol.dispose]();
    expect(source.isWatched()).toBe(false);
  });
});
