/** One line of `scenarios.json`, which every client program carries out with the means of its own SDK. */
import table from "./scenarios.json" with { type: "json" };
import type { Kind } from "./fixture.ts";

type Arguments = Readonly<Record<string, unknown>>;

type Deed =
  | {
      readonly does:
        | "describe"
        | "setLevel"
        | "ping"
        | "watchResource"
        | "watchTools"
        | "cancel"
        | "timeOut"
        | "task"
        | "end";
    }
  | { readonly does: "list"; readonly of: Kind }
  | { readonly does: "call"; readonly tool: string; readonly arguments?: Arguments }
  | { readonly does: "prompt"; readonly prompt: string; readonly arguments?: Readonly<Record<string, string>> }
  | { readonly does: "read"; readonly uri: string }
  | {
      readonly does: "complete";
      readonly ref: object;
      readonly argument: { readonly name: string; readonly value: string };
    };

export type Era = "legacy" | "modern";

/**
 * `era`: the only one that has such a thing. `alone`: in a session of its own, since it may not survive it. `expect`: what the
 * outcome has at least, with no proxy in between.
 */
export type Scenario = Deed & {
  readonly name: string;
  readonly era?: Era;
  readonly alone?: boolean;
  readonly expect: Readonly<Record<string, unknown>>;
};

export const SCENARIOS = table as readonly unknown[] as readonly Scenario[];

/** What became of a scenario, as the client's API told it. `unsupported`: the SDK or its era has no such thing. */
export type Outcome = { readonly ok: unknown } | { readonly error: unknown } | { readonly unsupported: string };

/** A line that a client program prints: the place of the URL among its arguments, and what became of the scenario. */
export type Line = { readonly target: number; readonly scenario: string; readonly outcome: Outcome };
