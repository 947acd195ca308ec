/**
 * `npm start -- --load`: agents at work, so that there is something to look at. Each takes its deeds from a bag, in
 * another order every time, and does not wait for one before it does the next; the day has its ups and downs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Callers } from "./callers.ts";
import { ROLES } from "./deeds.ts";
import type { Deed, Role } from "./deeds.ts";
import { LoadAgent } from "./load-agent.ts";

export type LoadOptions = {
  readonly gateway: URL;
  readonly tokens: Callers["tokens"];
  /** How often each agent empties its bag, without taking its time. Undefined: until the end, at a pace to look at. */
  readonly rounds?: number;
  /** Ends it, in the middle of whatever is under way. */
  readonly signal: AbortSignal;
};

const WAVE_MS = 180_000;
const BURST_CHANCE = 0.04;
const BURST_GAP_MS = 40;
const BURST_LENGTH = 8;
/** Between two deeds of a load that is only to be done. */
const SHORT_GAP_MS = 30;

/** Resolves with the number of deeds when all rounds are done. */
export async function runLoad(options: LoadOptions): Promise<number> {
  const done = await Promise.all(ROLES.map(async (role) => play(role, options)));
  return done.reduce((sum, deeds) => sum + deeds, 0);
}

async function play(role: Role, { gateway: url, tokens, rounds = Infinity, signal }: LoadOptions): Promise<number> {
  const token = role.token === undefined ? undefined : tokens[role.token];
  const agent = new LoadAgent({ url, token, name: role.name, signal });
  const pace = rounds === Infinity ? new Pace(role.meanGapMs) : undefined;
  if (role.hasSession) await attempt(agent.open());
  const underWay: Promise<void>[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { run } of bagOf(role.deeds)) {
      if (signal.aborted) return 0;
      const doing = attempt(run(agent));
      if (pace === undefined) underWay.push(doing);
      await attempt(sleep(pace?.nextGapMs() ?? SHORT_GAP_MS, undefined, { signal }));
    }
  }
  await Promise.all(underWay);
  await attempt(agent.close());
  return underWay.length;
}

/** What becomes of a call is in Toolgate's numbers. That a program has ended, the demo says itself. */
const attempt = async (deed: Promise<void>): Promise<void> => deed.catch(() => undefined);

/** All deeds as often as they are to be done, shuffled. */
function bagOf(deeds: readonly Deed[]): readonly Deed[] {
  const all = deeds.flatMap((deed) => Array.from({ length: deed.times }, () => ({ deed, place: Math.random() })));
  return all.sort((one, other) => one.place - other.place).map(({ deed }) => deed);
}

/** Calls come when they like, more of them at the top of the wave, and sometimes many at once. */
class Pace {
  readonly #meanMs: number;
  #burst = 0;

  constructor(meanMs: number) {
    this.#meanMs = meanMs;
  }

  nextGapMs(): number {
    if (this.#burst > 0) this.#burst--;
    else if (Math.random() < BURST_CHANCE) this.#burst = BURST_LENGTH;
    if (this.#burst > 0) return BURST_GAP_MS;
    const busy = 1 + 0.6 * Math.sin((2 * Math.PI * Date.now()) / WAVE_MS);
    return (-Math.log(1 - Math.random()) * this.#meanMs) / busy;
  }
}
