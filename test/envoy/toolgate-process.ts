/** `toolgate serve` as it runs in production: a process, with policies in a folder that a test can edit. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { VIOLATION } from "../judge/judged.ts";
import { Program, jsonLines } from "./program.ts";

export const TOOLGATE_MAIN = join(PACKAGE_ROOT, "src", "main.ts");

export type ToolgateOptions = {
  /** The text of the one policy file. */
  readonly policies: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** A process of `toolgate`, whatever its arguments. */
export const runToolgate = (...args: readonly string[]): Program => runToolgateWith({}, ...args);

const runToolgateWith = (env: Readonly<Record<string, string>>, ...args: readonly string[]): Program =>
  new Program({ name: "Toolgate", command: process.execPath, args: ["--import", JUDGE, TOOLGATE_MAIN, ...args], env });

const JUDGE = join(PACKAGE_ROOT, "test", "judge", "everywhere.ts");

export class Toolgate implements AsyncDisposable {
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #program: Program;
  /** Where it listens for Envoy. The same after every restart. */
  readonly port: number;
  #adminUrl: URL;

  private constructor(folder: string, { flags = [], env = {} }: ToolgateOptions, started: Started) {
    this.#folder = folder;
    this.#flags = flags;
    this.#env = env;
    this.#program = started.program;
    this.port = started.port;
    this.#adminUrl = started.adminUrl;
  }

  static async start(options: ToolgateOptions): Promise<Toolgate> {
    const { policies, flags = [], env = {} } = options;
    const folder = await mkdtemp(join(tmpdir(), "toolgate-e2e-"));
    await writeFile(join(folder, "policies.yaml"), policies);
    return new Toolgate(folder, options, await start(folder, 0, flags, env));
  }

  get program(): Program {
    return this.#program;
  }

  /** Its own log. */
  get log(): readonly Readonly<Record<string, unknown>>[] {
    return jsonLines(this.#program.stderr);
  }

  get decisions(): readonly Readonly<Record<string, unknown>>[] {
    return jsonLines(this.#program.stdout);
  }

  /** The first line of the decision log that has these members. */
  async decision(members: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const wanted = Object.entries(members);
    return this.#program.until(`a decision with ${JSON.stringify(members)}`, () =>
      this.decisions.find((line) => wanted.every(([name, value]) => line[name] === value)),
    );
  }

  /** The first line of its own log that has these words. */
  async says(words: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#program.until(`"${words}" in its log`, () =>
      this.log.find((line) => JSON.stringify(line).includes(words)),
    );
  }

  /** Where its admin port is: another one after every restart, unless a flag says which. */
  get adminUrl(): URL {
    return this.#adminUrl;
  }

  async admin(path: string): Promise<string> {
    return (await fetch(this.adminAt(path))).text();
  }

  adminAt(path: string): URL {
    return new URL(path, this.#adminUrl);
  }

  /** In one step, so that it never reads half of it. Takes effect some time later, as every edit does. */
  async edit(policies: string): Promise<void> {
    const path = join(this.#folder, "policies.yaml");
    await writeFile(`${path}.new`, policies);
    await rename(`${path}.new`, path);
  }

  /** Ends it as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    if (this.#program.stderr.includes(VIOLATION)) throw new Error(this.#program.stderr);
  }

  /** Starts it anew where it was, after its end. */
  async restart(): Promise<void> {
    ({ program: this.#program, adminUrl: this.#adminUrl } = await start(
      this.#folder,
      this.port,
      this.#flags,
      this.#env,
    ));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

type Started = { readonly program: Program; readonly port: number; readonly adminUrl: URL };

async function start(
  folder: string,
  port: number,
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Started> {
  const listen = ["--listen", `127.0.0.1:${port}`, "--admin-listen", "127.0.0.1:0"];
  const program = runToolgateWith(env, "serve", "--policies", folder, ...listen, ...flags);
  const ready = await program.until("being ready", () => jsonLines(program.stderr).find(({ msg }) => msg === "ready"));
  const adminUrl = new URL(`http://${String(ready["adminListen"])}`);
  return { program, port: Number(String(ready["listen"]).split(":").at(-1)), adminUrl };
}
