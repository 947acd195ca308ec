/**
 * The two text formats of `/metrics`: Prometheus's own, and OpenMetrics, which alone has exemplars. Both come in slices,
 * with a turn of the event loop after each: all series at their caps are 83,000 lines, and no call waits for all of them.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { MetricObjectWithValues, MetricValue, MetricValueWithName, Registry } from "@prometheus-io/client";

export type Format = "plain" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  plain: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** One metric with all its series. */
export type Family = {
  /** As in the plain text: that of a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  /** The lines of one series after the other, each with its line break. What changes meanwhile may be in it or not. */
  texts(format: Format): Iterable<string>;
};

/** A slice is over when it is longer; it ends with a whole series. */
export const SLICE_CHARACTERS = 65_536;

/** What the Accept header asks for; the plain text, when it does not say that OpenMetrics is as welcome. */
export function chooseFormat(accept = ""): Format {
  let [plain, openmetrics] = [0, 0];
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = Number(parameters.find((one) => one.startsWith("q="))?.slice(2) ?? 1);
    if (type === "text/plain") plain = Math.max(plain, quality);
    if (type === "application/openmetrics-text") openmetrics = Math.max(openmetrics, quality);
  }
  return openmetrics > 0 && openmetrics >= plain ? "openmetrics" : "plain";
}

/** Of the families, then of what the client library has. */
export async function expose(families: Iterable<Family>, registry: Registry, format: Format): Promise<Buffer> {
  const slices: Buffer[] = [];
  for (const slice of render(families, format)) {
    slices.push(Buffer.from(slice));
    await turn();
  }
  const others = await registry.getMetricsAsJSON();
  for (const slice of render(others.map(familyOf), format)) slices.push(Buffer.from(slice));
  if (format === "openmetrics") slices.push(END);
  return Buffer.concat(slices);
}

const END = Buffer.from("# EOF\n");

export function* render(families: Iterable<Family>, format: Format): Generator<string> {
  let slice = "";
  for (const family of families) {
    slice += head(family, format);
    for (const text of family.texts(format)) {
      slice += text;
      if (slice.length < SLICE_CHARACTERS) continue;
      yield slice;
      slice = "";
    }
  }
  yield slice;
}

/** In OpenMetrics a counter is called what it counts, and only its samples are totals. */
const head = ({ name, help, type }: Family, format: Format): string => {
  const called = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
  return `# HELP ${called} ${escapeHelp(help)}\n# TYPE ${called} ${type}\n`;
};

const familyOf = ({ name, help, type, values }: MetricObjectWithValues<MetricValue<string>>): Family => ({
  name,
  help,
  type,
  texts: () => values.map((value) => libraryLine(name, value)),
});

/** The library leaves out the labels of a summary's sum, against its own types. */
type LibraryValue = Omit<MetricValueWithName<string>, "labels"> & Partial<Pick<MetricValue<string>, "labels">>;

const libraryLine = (name: string, value: LibraryValue): string => {
  const labels = formatLabels(value.labels ?? {});
  return `${value.metricName ?? name}${labels === "" ? "" : `{${labels}}`} ${formatNumber(value.value)}\n`;
};

/** Without the braces. */
export const formatLabels = (labels: Readonly<Partial<Record<string, string | number>>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join();

const formatNumber = (value: number): string =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";

/** The plain text knows two escapes in a help text, and a third one in a label. */
const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
