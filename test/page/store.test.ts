import { describe, expect, test } from "vitest";
import type { Answers } from "../../src/admin/page/answers.js";
import { POLL_MS, createStore } from "../../src/admin/page/store.js";
import type { Known } from "../../src/admin/page/store.js";

const answers = (id: string): Answers =>
  ({ info: { ok: true, value: { version: "1", startedAt: `start of ${id}`, id } } }) as Answers;

/** A store whose time goes on when a test says so. */
function start(read: () => Promise<Answers>) {
  const published: Known[] = [];
  const planned: { readonly run: () => void; readonly ms: number }[] = [];
  let now = 0;
  const later = (run: () => void, ms: number): void => void planned.push({ run, ms });
  const store = createStore({ read, now: () => now, publish: (known) => void published.push(known), later });
  /** To the next question and its answer. Says how long it was until then. */
  const next = async (): Promise<number | undefined> => {
    const plan = planned.shift();
    now += plan?.ms ?? 0;
    plan?.run();
    await new Promise(setImmediate);
    return plan?.ms;
  };
  return { store, published, next, last: () => published.at(-1) };
}

const refused = (): Promise<Answers> => Promise.reject(new TypeError("Failed to fetch"));

describe("the store", () => {
  test("asks every two seconds", async () => {
    const { store, next, last } = start(async () => answers("a"));
    await store.ask();
    expect(last()).toMatchObject({ answers: answers("a"), answeredAt: 0, silence: undefined, restart: undefined });
    expect(await next()).toBe(POLL_MS);
    expect(last()).toMatchObject({ answeredAt: POLL_MS });
  });

  test("keeps what it knew while nobody answers, asks less and less often, and recovers", async () => {
    let read = async (): Promise<Answers> => answers("a");
    const { store, next, last } = start(() => read());
    await store.ask();
    read = refused;
    expect(await next()).toBe(2_000);
    expect(last()).toMatchObject({ answers: answers("a"), answeredAt: 0, silence: { nextTryAt: 4_000 } });
    expect([await next(), await next(), await next(), await next()]).toStrictEqual([2_000, 4_000, 8_000, 10_000]);
    read = async () => answers("a");
    await next();
    expect(last()).toMatchObject({ silence: undefined, restart: undefined });
    expect(await next()).toBe(POLL_MS);
  });

  test("notices that another process answers, until that is understood", async () => {
    let id = "a";
    const { store, next, last } = start(async () => answers(id));
    await store.ask();
    id = "b";
    await next();
    expect(last()).toMatchObject({ restart: { startedAt: "start of b" } });
    await next();
    expect(last()).toMatchObject({ restart: { startedAt: "start of b" } });
    store.forgetRestart();
    expect(last()?.restart).toBeUndefined();
    await next();
    expect(last()?.restart).toBeUndefined();
  });

  test("shows the answer to the last question, whenever that to an earlier one comes", async () => {
    const slow = Promise.withResolvers<Answers>();
    let read = (): Promise<Answers> => slow.promise;
    const { store, published, last } = start(() => read());
    const first = store.ask();
    read = async () => answers("second");
    await store.ask();
    slow.resolve(answers("first"));
    await first;
    expect(published).toHaveLength(1);
    expect(last()?.answers).toStrictEqual(answers("second"));
  });

  test("asks nothing while nobody looks, and at once when somebody does", async () => {
    let asked = 0;
    const { store, next } = start(async () => {
      asked++;
      return answers("a");
    });
    await store.ask();
    store.pause(true);
    await next();
    expect(asked).toBe(1);
    store.pause(false);
    await new Promise(setImmediate);
    expect(asked).toBe(2);
  });
});
