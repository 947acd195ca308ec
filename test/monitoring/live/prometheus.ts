/** A real Prometheus that scrapes one target, with our rules, and answers queries. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { stringify } from "yaml";
import { PACKAGE_ROOT } from "../../../src/cli/demo/options.ts";
import { freePort } from "../../envoy/free-port.ts";
import { Program } from "../../envoy/program.ts";
import { ENVOY_PATH } from "../../envoy/real-envoy.ts";

const prometheus = process.env["PROMETHEUS"] ?? "prometheus";
const hasPrometheus = spawnSync(prometheus, ["--version"]).status === 0;
if (!hasPrometheus && process.env["CI"]) throw new Error("prometheus is not there: install it");
if (!hasPrometheus) process.stderr.write("SKIPPED, every test with a real Prometheus: it is not there\n");

export const describeWithPrometheus = describe.skipIf(!hasPrometheus || ENVOY_PATH === "");

export type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
};

type Answer = {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly Sample[] };
};

export class Prometheus implements AsyncDisposable {
  readonly program: Program;
  readonly #folder: string;
  readonly #url: string;

  private constructor(program: Program, folder: string, url: string) {
    this.program = program;
    this.#folder = folder;
    this.#url = url;
  }

  static async start(target: string): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), "toolgate-prometheus-"));
    const rules = ["recording.yml", "alerts.yml"].map((name) => join(PACKAGE_ROOT, "monitoring", "prometheus", name));
    const config = stringify({
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "2s" },
      rule_files: rules,
      scrape_configs: [{ job_name: "toolgate", static_configs: [{ targets: [target] }] }],
    });
    await writeFile(join(folder, "prometheus.yml"), config);
    const port = await freePort();
    const program = new Program({
      name: "Prometheus",
      command: prometheus,
      args: [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--enable-feature=exemplar-storage",
      ],
    });
    const url = `http://127.0.0.1:${port}`;
    await program.until("being ready", async () => {
      const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
      return answer?.ok === true ? true : undefined;
    });
    return new Prometheus(program, folder, url);
  }

  /** As of now. */
  async query(expr: string): Promise<readonly Sample[]> {
    const answer = (await this.#get(`/api/v1/query?query=${encodeURIComponent(expr)}`)) as Answer;
    if (answer.status !== "success") throw new Error(`${expr}: ${answer.error}`);
    return answer.data.result;
  }

  /** Names of rules whose evaluation has failed, or has not been. */
  async unhealthyRules(): Promise<readonly string[]> {
    const { data } = (await this.#get("/api/v1/rules")) as {
      readonly data: {
        readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly health: string }[] }[];
      };
    };
    return data.groups.flatMap(({ rules }) => rules.filter(({ health }) => health !== "ok").map(({ name }) => name));
  }

  async #get(path: string): Promise<unknown> {
    return (await fetch(`${this.#url}${path}`)).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
