/** What a Toolgate process says of itself: its metrics, and its memory once garbage is collected. */
import type { Toolgate } from "./toolgate-process.ts";

/** The sum of a metric's series that have these labels. */
export async function metric(
  toolgate: Toolgate,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return (await toolgate.admin("/metrics"))
    .split("\n")
    .filter((line) => /^\w+/.exec(line)?.[0] === name && wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

export async function untilMetric(toolgate: Toolgate, name: string, wanted: number): Promise<void> {
  await toolgate.program.until(`${name} ${wanted}`, async () =>
    (await metric(toolgate, name)) === wanted ? true : undefined,
  );
}

/** On SIGUSR2 the process collects its garbage, and says on its log what is left. No spaces: it is a part of NODE_OPTIONS. */
const PRELOAD =
  "data:text/javascript,process.on('SIGUSR2',()=>{gc();console.error(JSON.stringify({msg:'memory',...process.memoryUsage()}))})";

/** The environment of a Toolgate that `memoryOf` can ask. */
export const MEASURED = { NODE_OPTIONS: `--expose-gc --import ${PRELOAD}` };

export type Memory = {
  /** Of the whole process, as the system counts it. */
  readonly residentBytes: number;
  /** What JavaScript holds: its heap, and the buffers outside of it. */
  readonly liveBytes: number;
};

export async function memoryOf(toolgate: Toolgate): Promise<Memory> {
  const said = () => toolgate.log.filter(({ msg }) => msg === "memory");
  const before = said().length;
  toolgate.program.signal("SIGUSR2");
  const { rss, heapUsed, external } = await toolgate.program.until("its memory", () => said()[before]);
  return { residentBytes: Number(rss), liveBytes: Number(heapUsed) + Number(external) };
}
