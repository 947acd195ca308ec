/** The micro-benchmarks: what one is, and how mitata measures it. */
import { do_not_optimize, measure } from "mitata";

export type Micro = {
  readonly name: string;
  readonly run: () => unknown;
  /** Bytes that one run goes through: MB/s are printed too. */
  readonly bytes?: number;
};

export type MicroRow = {
  readonly name: string;
  /** Of one run. */
  readonly ns: { readonly avg: number; readonly p50: number; readonly p99: number };
  readonly mbPerSecond: number | undefined;
};

/** `cpuMs`: how long each is repeated, at least. */
export async function measureMicro(micro: Micro, cpuMs: number): Promise<MicroRow> {
  const { name, run, bytes } = micro;
  const { avg, p50, p99 } = await measure(() => do_not_optimize(run()), { min_cpu_time: cpuMs * 1e6 });
  return { name, ns: { avg, p50, p99 }, mbPerSecond: bytes === undefined ? undefined : (bytes * 1000) / avg };
}
