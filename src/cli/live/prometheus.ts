/** Instant queries to Prometheus's HTTP API. */
import { err, ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
export type Query = (promql: string) => Promise<Result<readonly Sample[], string>>;

type Answer =
  | { readonly status: "success"; readonly data: { readonly result: readonly Series[] } }
  | { readonly status: "error"; readonly error: string }
  /** Of somebody else. */
  | { readonly status?: undefined };
type Series = { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] };

const TIMEOUT_MS = 30_000;

/** `base`: `http://host:port`, with a path where Prometheus is under one. */
export function createQuery(base: string): Result<Query, string> {
  if (!/^https?:$/.test(URL.parse(base)?.protocol ?? "")) return err(`--prometheus ${base}: expected http://host:port`);
  const url = new URL(`${base.replace(/\/$/, "")}/api/v1/query`);
  return ok(async (promql) => {
    try {
      const body = new URLSearchParams({ query: promql });
      const response = await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const answer = await answerOf(response);
      if (answer.status === "error") return err(`${base} answers: ${answer.error}`);
      if (answer.status === undefined)
        return err(`${base} does not answer as Prometheus does (HTTP ${response.status}). See --prometheus`);
      // A quantile of nothing is NaN.
      return ok(answer.data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) })));
    } catch (error: unknown) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      const why = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);
      return err(`${base} cannot be asked (${why}): is Prometheus there? See --prometheus`);
    }
  });
}

async function answerOf(response: Response): Promise<Answer> {
  try {
    const answer = (await response.json()) as Answer | null;
    return answer ?? {};
  } catch (error: unknown) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
