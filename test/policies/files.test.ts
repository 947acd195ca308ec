import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFileSource, readDirectory } from "../../src/policies/files.ts";
import { startPublisher } from "../../src/policies/publisher.ts";
import type { Publisher } from "../../src/policies/publisher.ts";
import { formatProblem } from "../../src/policies/source.ts";
import type { Delivery } from "../../src/policies/source.ts";
import { until } from "../fixtures/until.ts";
import { file, policy, server, temporaryDirectory } from "./fixtures.ts";

/** Longer than a look and a read together: what has not happened by then was not noticed. */
const SEVERAL_LOOKS_MS = 1500;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function publish(directory: string): Promise<Publisher> {
  const publisher = await startPublisher(createFileSource(directory), { trustDomain: "cluster.local" });
  if (!publisher.ok) throw new Error(publisher.error.message);
  onTestFinished(() => publisher.value[Symbol.dispose]());
  return publisher.value;
}

const named = ({ policies }: Publisher, ...tools: readonly string[]) =>
  tools.filter((tool) => policies.get().isNamed("tools/everything", "tool", tool));

const problemsOf = ({ report }: Publisher) => report.get().problems.map(formatProblem);

/** A directory with a server, and a policy in `a.yaml`. */
function directoryWith(tool: string): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "s.yaml"), server("everything"));
  writeFileSync(join(directory, "a.yaml"), policy("one", tool));
  return directory;
}

const filesOf = (delivery: Delivery) => (delivery.kind === "files" ? delivery.files : []);

describe("readDirectory()", () => {
  test("reads *.yaml and *.yml in the order of their names, and neither hidden files nor directories below", async () => {
    const directory = temporaryDirectory();
    for (const name of ["b.yml", "a.yaml", ".hidden.yaml", "note.txt", "x.yaml.bak"]) {
      writeFileSync(join(directory, name), server("everything"));
    }
    mkdirSync(join(directory, "below"));
    writeFileSync(join(directory, "below", "c.yaml"), server("other"));
    const delivery = await readDirectory(directory);
    expect(filesOf(delivery).map((one) => one.file)).toEqual([join(directory, "a.yaml"), join(directory, "b.yml")]);
  });

  test("says what cannot be read, why, and what was expected", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    const messages = [];
    for (const name of ["nowhere", "file"]) {
      const delivery = await readDirectory(join(directory, name));
      messages.push(delivery.kind === "unreadable" ? [delivery.problem.file, delivery.problem.message] : delivery);
    }
    expect(messages).toEqual([
      [join(directory, "nowhere"), "cannot be read: it does not exist; expected a directory of *.yaml files"],
      [join(directory, "file"), "cannot be read: it is not a directory; expected a directory of *.yaml files"],
    ]);
  });

  test("makes what cannot be read a problem of that file alone", async () => {
    const directory = directoryWith("echo");
    mkdirSync(join(directory, "d.yaml"));
    symlinkSync("nowhere", join(directory, "l.yaml"));
    symlinkSync("/dev/null", join(directory, "p.yaml"));
    const files = filesOf(await readDirectory(directory));
    expect(files.flatMap((one) => one.problems.map(formatProblem))).toEqual([
      `${join(directory, "d.yaml")}:1: cannot be read: it is a directory; expected a file of YAML documents`,
      `${join(directory, "l.yaml")}:1: cannot be read: it does not exist; expected a file of YAML documents`,
      `${join(directory, "p.yaml")}:1: cannot be read: it is not a regular file; expected a file of YAML documents`,
    ]);
    expect(files.flatMap((one) => one.documents)).toHaveLength(2);
  });
});

describe("createFileSource()", () => {
  test("puts an edit in force without being asked", async () => {
    const directory = directoryWith("echo");
    const publisher = await publish(directory);
    expect(named(publisher, "echo", "sum")).toEqual(["echo"]);
    writeFileSync(join(directory, "a.yaml"), policy("one", "sum"));
    await until(() => expect(named(publisher, "echo", "sum")).toEqual(["sum"]));
  });

  test("sees a change of the same length whose time was set back", async () => {
    const directory = directoryWith("echo");
    const path = join(directory, "a.yaml");
    const time = new Date("2020-01-01T00:00:00Z");
    utimesSync(path, time, time);
    const publisher = await publish(directory);
    writeFileSync(path, policy("one", "ohce"));
    utimesSync(path, time, time);
    await until(() => expect(named(publisher, "echo", "ohce")).toEqual(["ohce"]));
  });

  test("sees a file that is replaced, added and deleted", async () => {
    const directory = directoryWith("echo");
    const publisher = await publish(directory);
    writeFileSync(join(directory, ".a.tmp"), policy("one", "sum"));
    renameSync(join(directory, ".a.tmp"), join(directory, "a.yaml"));
    await until(() => expect(named(publisher, "echo", "sum")).toEqual(["sum"]));
    writeFileSync(join(directory, "b.yml"), policy("two", "sub"));
    await until(() => expect(named(publisher, "sum", "sub")).toEqual(["sum", "sub"]));
    rmSync(join(directory, "a.yaml"));
    await until(() => expect(named(publisher, "sum", "sub")).toEqual(["sub"]));
  });

  test("delivers nothing while nothing changes", async () => {
    const directory = directoryWith("echo");
    const publisher = await publish(directory);
    writeFileSync(join(directory, "unrelated.txt"), "x");
    await sleep(SEVERAL_LOOKS_MS);
    expect(publisher.report.get().generation).toBe(1);
  });

  test("keeps the last good policies when a file is cut off, emptied, or can no longer be read, and goes on after that", async () => {
    const directory = directoryWith("echo");
    const path = join(directory, "a.yaml");
    const publisher = await publish(directory);
    writeFileSync(path, policy("one", "sum").slice(0, -20));
    await until(() => expect(problemsOf(publisher).join()).toContain(`${path}:7: is not valid YAML`));
    expect(named(publisher, "echo", "sum")).toEqual(["echo"]);
    writeFileSync(path, "");
    await until(() => expect(problemsOf(publisher).join()).toContain(`${path}:1: holds no document`));
    expect(named(publisher, "echo", "sum")).toEqual(["echo"]);
    rmSync(path);
    mkdirSync(path);
    await until(() => expect(problemsOf(publisher).join()).toContain("it is a directory"));
    expect(named(publisher, "echo", "sum")).toEqual(["echo"]);
    rmSync(path, { recursive: true });
    writeFileSync(path, policy("one", "sum"));
    await until(() => expect(named(publisher, "echo", "sum")).toEqual(["sum"]));
    expect(problemsOf(publisher)).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)("keeps the last good policies when permission is taken away", async () => {
    const directory = directoryWith("echo");
    const path = join(directory, "a.yaml");
    const publisher = await publish(directory);
    chmodSync(path, 0o000);
    await until(() => expect(problemsOf(publisher).join()).toContain("permission denied"));
    expect(named(publisher, "echo")).toEqual(["echo"]);
    chmodSync(path, 0o600);
    await until(() => expect(problemsOf(publisher)).toEqual([]));
  });

  test("does not put a file in force that is still being written", async () => {
    const directory = directoryWith("echo");
    const path = join(directory, "a.yaml");
    const publisher = await publish(directory);
    const seen: (readonly string[])[] = [];
    publisher.policies.subscribe(() => seen.push(named(publisher, "echo", "sum", "sub")));
    // The first half is a whole, good document: only time tells that more is coming.
    writeFileSync(path, policy("one", "sum"));
    await sleep(20);
    writeFileSync(path, file(policy("one", "sum"), policy("two", "sub")));
    await until(() => expect(named(publisher, "sub")).toEqual(["sub"]));
    expect(seen).toEqual([["sum", "sub"]]);
  });

  test("keeps everything when the directory vanishes, and goes on when it is back", async () => {
    const directory = join(temporaryDirectory(), "policies");
    mkdirSync(directory);
    writeFileSync(join(directory, "a.yaml"), file(server("everything"), policy("one", "echo")));
    const publisher = await publish(directory);
    renameSync(directory, `${directory}-away`);
    await until(() => expect(problemsOf(publisher)).toHaveLength(1));
    expect(problemsOf(publisher)).toEqual([
      `${directory}: cannot be read: it does not exist; expected a directory of *.yaml files`,
    ]);
    expect(named(publisher, "echo")).toEqual(["echo"]);
    renameSync(`${directory}-away`, directory);
    await until(() => expect(problemsOf(publisher)).toEqual([]));
    writeFileSync(join(directory, "a.yaml"), file(server("everything"), policy("one", "sum")));
    await until(() => expect(named(publisher, "echo", "sum")).toEqual(["sum"]));
  });

  test("answers why when the directory is not there at the start", async () => {
    const directory = join(temporaryDirectory(), "nowhere");
    const publisher = await startPublisher(createFileSource(directory), { trustDomain: "cluster.local" });
    expect(publisher).toMatchObject({ ok: false, error: { file: directory, message: /it does not exist/ } });
  });

  test("reads again on demand, though nothing changed", async () => {
    const publisher = await publish(directoryWith("echo"));
    await publisher.reload();
    expect(publisher.report.get().generation).toBe(2);
  });

  test("delivers nothing after it was disposed of, and leaves no reload hanging", async () => {
    const directory = directoryWith("echo");
    const publisher = await publish(directory);
    const reload = publisher.reload();
    publisher[Symbol.dispose]();
    await reload;
    writeFileSync(join(directory, "a.yaml"), policy("one", "sum"));
    await sleep(SEVERAL_LOOKS_MS);
    expect(named(publisher, "echo", "sum")).toEqual(["echo"]);
  });
});

/** Links to `..data/<name>`, where `..data` links to a directory that is swapped in one step. */
function mount(version: string, texts: Readonly<Record<string, string>>, directory: string): void {
  const data = join(directory, `..${version}`);
  mkdirSync(data);
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(data, name), text);
  symlinkSync(`..${version}`, join(directory, "..data_tmp"));
  renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
}

const link = (name: string, directory: string) => symlinkSync(join("..data", name), join(directory, name));

describe("a directory as Kubernetes mounts a ConfigMap", () => {
  const SERVER = server("everything");

  test("takes both files of a swap at once", async () => {
    const directory = temporaryDirectory();
    mount("1", { "a.yaml": file(SERVER, policy("one", "echo")), "b.yaml": policy("two", "add") }, directory);
    link("a.yaml", directory);
    link("b.yaml", directory);
    const publisher = await publish(directory);
    const seen: (readonly string[])[] = [];
    publisher.policies.subscribe(() => seen.push(named(publisher, "echo", "add", "sum", "sub")));
    mount("2", { "a.yaml": file(SERVER, policy("one", "sum")), "b.yaml": policy("two", "sub") }, directory);
    rmSync(join(directory, "..1"), { recursive: true });
    await until(() => expect(seen).toEqual([["sum", "sub"]]));
    mount("3", { "a.yaml": file(SERVER, policy("one", "echo")), "b.yaml": policy("two", "add") }, directory);
    await until(() => expect(seen.at(-1)).toEqual(["echo", "add"]));
  });

  test("follows a directory that is a link itself and is swapped", async () => {
    const root = temporaryDirectory();
    const directory = join(root, "policies");
    for (const [version, tool] of [
      ["1", "echo"],
      ["2", "sum"],
    ] as const) {
      mkdirSync(join(root, version));
      writeFileSync(join(root, version, "a.yaml"), file(SERVER, policy("one", tool)));
    }
    symlinkSync("1", directory);
    const publisher = await publish(directory);
    symlinkSync("2", join(root, "next"));
    renameSync(join(root, "next"), directory);
    await until(() => expect(named(publisher, "echo", "sum")).toEqual(["sum"]));
    writeFileSync(join(root, "2", "a.yaml"), file(SERVER, policy("one", "sub")));
    await until(() => expect(named(publisher, "sum", "sub")).toEqual(["sub"]));
  });

  test("sees a file change behind a link from elsewhere", async () => {
    const directory = temporaryDirectory();
    const elsewhere = join(temporaryDirectory(), "a.yaml");
    writeFileSync(elsewhere, file(SERVER, policy("one", "echo")));
    symlinkSync(elsewhere, join(directory, "a.yaml"));
    const publisher = await publish(directory);
    writeFileSync(elsewhere, file(SERVER, policy("one", "sum")));
    await until(() => expect(named(publisher, "echo", "sum")).toEqual(["sum"]));
  });
});
