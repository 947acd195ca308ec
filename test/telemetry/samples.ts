/** Metrics for tests, and their samples read back from the text. */
import { EMPTY_POLICY_SET } from "../../src/core/policy/policy-set.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Metrics, MetricsOptions } from "../../src/telemetry/metrics.ts";

export const create = (options: Partial<MetricsOptions> = {}): Metrics =>
  createMetrics({
    version: "1.2.3",
    isNamed: (server, kind, name) => server === "tools/everything" && kind === "tool" && name === "echo",
    inForce: () => EMPTY_POLICY_SET,
    policy: () => ({ generation: 7, lastSyncedAtMs: 1_500, servers: 2, policies: 3, problems: 1 }),
    decisionLogDropped: () => 4,
    decisionLogQueuedBytes: () => 0,
    certificateExpiresAtMs: () => undefined,
    load: () => undefined,
    isLogKept: () => true,
    ...options,
  });

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** The samples of one metric, read back from the text. */
export async function samples(metrics: Metrics, name: string): Promise<readonly Sample[]> {
  const lines = String(await metrics.expose())
    .split("\n")
    .filter((line) => /^[a-z]/.test(line));
  return lines
    .map((line) => /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line))
    .filter((match) => match?.[1] === name)
    .map((match) => ({ labels: parseLabels(match?.[2] ?? ""), value: Number(match?.[3]) }));
}

const parseLabels = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );

export const total = (all: readonly Sample[]): number => all.reduce((sum, { value }) => sum + value, 0);
export const values = (all: readonly Sample[], label: string): readonly string[] =>
  [...new Set(all.map(({ labels }) => labels[label] ?? "(absent)"))].sort();
