/** Brings 5,000 calls about whose ends are known, through a real Envoy and a real Toolgate. */
import { setTimeout as sleep } from "node:timers/promises";
import { firstRoute, manager } from "../envoy/gateway.ts";
import type { Node } from "../envoy/gateway.ts";
import { untilMetric } from "../envoy/measured.ts";
import type { Program } from "../envoy/program.ts";
import { startStack } from "../envoy/stack.ts";
import type { Stack } from "../envoy/stack.ts";
import type { Toolgate } from "../envoy/toolgate-process.ts";
import { perform } from "./perform.ts";
import { POLICIES } from "./policies.ts";
import { IMPATIENT, scriptOf } from "./script.ts";
import { ScriptedServer } from "./upstream.ts";

export const CALLS = 5_000;
const ORPHANED = 300;
/** So long nothing is logged when nothing more will be. */
const QUIET_MS = 3_000;
const SEED = Number(process.env["TRUTH_SEED"] ?? 1);

const script = scriptOf({ calls: CALLS, orphaned: ORPHANED, seed: SEED });
export const made = script.flatMap((one) => (one.takenBackBy === undefined ? [one] : [one, one.takenBackBy]));
/** What there is to be said of all of them. */
export const records = made.flatMap((one) => one.records);

/** `watch`: before the first call. Resolves when each is on record. */
export async function play(watch: (stack: Stack) => Promise<void> = async () => {}): Promise<Stack> {
  const server = await ScriptedServer.start();
  const stack = await startStack({ policies: POLICIES, upstreamPort: server.port, change });
  await watch(stack);
  const [reader = "", admin = "", outsider = ""] = await Promise.all(
    ["reader", "admin", "outsider"].map(async (role) => stack.token(role)),
  );
  const stage = { url: stack.gateway.url, tokens: { reader, admin, outsider }, server };
  await perform(script.slice(0, -ORPHANED), stage);
  await untilMetric(stack.toolgate, "toolgate_open_exchanges", 0);
  await server[Symbol.asyncDispose]();
  await perform(script.slice(-ORPHANED), stage);
  await untilMetric(stack.toolgate, "toolgate_open_exchanges", 0);
  await allLogged(stack.toolgate);
  return stack;
}

/** Ids as the script has them, and one more route, with a time-out. */
function change(config: Node): void {
  manager(config)["preserve_external_request_id"] = true;
  delete manager(config)["access_log"];
  const usual = firstRoute(config);
  const impatient = {
    ...usual,
    name: "impatient",
    match: { path: "/mcp", headers: [{ name: IMPATIENT, present_match: true }] },
    route: { ...(usual["route"] as Node), timeout: "0.2s" },
  };
  const { virtual_hosts: hosts } = manager(config)["route_config"] as { readonly virtual_hosts: readonly Node[] };
  for (const host of hosts) host["routes"] = [impatient, usual];
}

/** Until there is a line for each call; or no more come, so that the tests can say which are missing. */
async function allLogged({ program }: Toolgate): Promise<void> {
  for (let before = -1; linesOf(program).length < records.length && linesOf(program).length !== before;) {
    before = linesOf(program).length;
    await sleep(QUIET_MS);
  }
}

export const linesOf = ({ stdout }: Program): readonly string[] => stdout.split("\n").slice(0, -1);
