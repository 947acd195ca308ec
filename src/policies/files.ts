/**
 * A directory of YAML files as a policy source. Kubernetes mounts a ConfigMap as links to files behind a link that is
 * swapped, which `fs.watch` on the directory reports or not depending on what was swapped; network file systems report
 * nothing. So looking (names, inodes, sizes, times) decides whether something changed, and `fs.watch` only makes it quick.
 */
import { watch as watchEntries } from "node:fs";
import type { BigIntStats, FSWatcher } from "node:fs";
import { readFile, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readPolicyFile, wholeFile } from "./read.ts";
import type { Delivery, PolicyFile, PolicySource, PolicyWatch } from "./source.ts";

/** With the quiet time below well within the second that a change may take. */
const POLL_MS = 400;
/** How long nothing may have changed before files are read: an editor or a copy may be in the middle of writing. */
const QUIET_MS = 100;
/** After that many disturbed attempts what is there is taken: a file that never rests must not hold up all others. */
const MAX_ATTEMPTS = 5;

/** Watches the `*.yaml` and `*.yml` files in `directory` itself, hidden ones left out. */
export const createFileSource = (directory: string): PolicySource => ({
  watch: (onDelivery) => watchDirectory(directory, onDelivery),
});

/** Reads all files once. */
export async function readDirectory(directory: string): Promise<Delivery> {
  try {
    const names = await policyNames(directory);
    return { kind: "files", files: await Promise.all(names.map((name) => readOne(join(directory, name)))) };
  } catch (error: unknown) {
    const message = `cannot be read: ${reason(error)}; expected a directory of *.yaml files`;
    return { kind: "unreadable", problem: { ...wholeFile(directory, message), line: 0 } };
  }
}

async function policyNames(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
}

async function readOne(file: string): Promise<PolicyFile> {
  try {
    const stats = await stat(file);
    // Reading a named pipe would never end.
    if (!stats.isFile())
      return unreadable(file, stats.isDirectory() ? "it is a directory" : "it is not a regular file");
    return readPolicyFile(file, await readFile(file));
  } catch (error: unknown) {
    return unreadable(file, reason(error));
  }
}

const unreadable = (file: string, why: string): PolicyFile => ({
  file,
  documents: [],
  problems: [wholeFile(file, `cannot be read: ${why}; expected a file of YAML documents`)],
});

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  ELOOP: "its links go in a circle",
  ENOENT: "it does not exist",
  ENOTDIR: "it is not a directory",
};

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Changes whenever what `readDirectory` would read has changed. */
async function look(directory: string): Promise<string> {
  try {
    const names = await policyNames(directory);
    return [await realpath(directory), ...(await Promise.all(names.map((name) => stamp(directory, name))))].join("\n");
  } catch (error: unknown) {
    return reason(error);
  }
}

const stamp = (directory: string, name: string): Promise<string> =>
  stat(join(directory, name), { bigint: true }).then(
    ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats) => [name, dev, ino, size, mtimeNs, ctimeNs].join(" "),
    (error: unknown) => `${name} ${reason(error)}`,
  );

type Reading = { readonly delivery: Delivery; readonly look: string };

/**
 * Reads when the directory has been quiet and was not touched meanwhile: a swap in the middle must not mix old files
 * with new ones. The quiet time comes first because two writes within one tick of the file system's clock look alike.
 */
async function readQuiet(directory: string): Promise<Reading> {
  for (let attempt = 1; ; attempt++) {
    const before = await look(directory);
    await sleep(QUIET_MS);
    const isQuiet = (await look(directory)) === before;
    if (!isQuiet && attempt < MAX_ATTEMPTS) continue;
    const delivery = await readDirectory(directory);
    if ((await look(directory)) === before || attempt >= MAX_ATTEMPTS) return { delivery, look: before };
  }
}

function watchDirectory(directory: string, onDelivery: (delivery: Delivery) => void): PolicyWatch {
  const stop = new AbortController();
  let wake: (() => void) | undefined;
  let reloads: (() => void)[] = [];
  let events: Disposable | undefined;

  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const deliver = async () => {
    const served = reloads;
    reloads = [];
    const reading = await readQuiet(directory);
    if (!stop.signal.aborted) {
      // The directory may be another one now, which the old watcher does not follow.
      events?.[Symbol.dispose]();
      events = watchEvents(directory, () => wake?.());
      onDelivery(reading.delivery);
    }
    for (const done of served) done();
    return reading.look;
  };
  const run = async () => {
    let seen: string | undefined;
    while (!stop.signal.aborted) {
      if (reloads.length > 0 || (await look(directory)) !== seen) seen = await deliver();
      if (reloads.length === 0) await pause();
    }
  };
  void run();
  return {
    reload: () =>
      new Promise((resolve) => {
        reloads.push(resolve);
        wake?.();
      }),
    [Symbol.dispose]: () => {
      stop.abort();
      events?.[Symbol.dispose]();
      wake?.();
      for (const done of reloads) done();
    },
  };
}

/** Only a hint: where events cannot be had (no such directory, no watches left), looking finds the change. */
function watchEvents(directory: string, onEvent: () => void): Disposable | undefined {
  let watcher: FSWatcher;
  try {
    watcher = watchEntries(directory, { persistent: false }, onEvent);
  } catch {
    return undefined;
  }
  watcher.on("error", () => watcher.close());
  return { [Symbol.dispose]: () => watcher.close() };
}
