/**
 * `toolgate doctor`: what is wrong with the configuration of an Envoy that Toolgate cannot see from where it is asked. A
 * filter that fails open, a route past it or a mode that hides bodies let pass what nobody has read.
 */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { diagnose } from "./doctor/diagnose.ts";
import { readEnvoyConfig } from "./doctor/envoy-config.ts";
import { Place } from "./doctor/place.ts";
import type { Finding } from "./doctor/place.ts";
import { plural } from "./plural.ts";

export type DoctorFlags = {
  /** Where a running Envoy has its admin interface; what it says of itself is looked at too. */
  readonly envoyAdmin?: string;
  /** By which Envoy knows Toolgate; also as a part of a longer name. */
  readonly cluster: string;
};

type Output = { readonly write: (text: string) => unknown };

/** Prints what is wrong, a line each; resolves to the exit code: 1 with problems, 2 when nothing can be read. */
export async function runDoctor(files: readonly string[], flags: DoctorFlags, out: Output): Promise<number> {
  const print = (line: string): unknown => out.write(`${line}\n`);
  if (files.length === 0 && flags.envoyAdmin === undefined) {
    print("name a file with the configuration of an Envoy, or a running one with --envoy-admin http://127.0.0.1:9901");
    return 2;
  }
  const read = await Promise.all([
    ...files.map(fromFile),
    ...(flags.envoyAdmin === undefined ? [] : [fromAdmin(flags.envoyAdmin)]),
  ]);
  const unreadable = read.flatMap((one) => (one.ok ? [] : [one.error]));
  if (unreadable.length > 0) {
    for (const line of unreadable) print(line);
    return 2;
  }
  const documents = read.flatMap((one) => (one.ok ? [one.value] : []));
  const { filters, problems, unseen } = diagnose(readEnvoyConfig(documents), flags.cluster);
  for (const problem of problems) print(format(problem));
  for (const one of unseen) print(format({ ...one, message: `not looked at: ${one.message}` }));
  if (filters === 0) print(`no filter asks a cluster ${flags.cluster}: name the one that is Toolgate with --cluster`);
  const count = problems.length + (filters === 0 ? 1 : 0);
  print(`${plural(filters, "filter")} that ${filters === 1 ? "asks" : "ask"} Toolgate: ${plural(count, "problem")}`);
  return count > 0 ? 1 : 0;
}

const format = ({ at, message }: Finding): string => `${at.source}: ${at.path}: ${message}`;

async function fromFile(file: string): Promise<Result<Place, string>> {
  try {
    return ok(new Place(file, "", parse(await readFile(file, "utf8"))));
  } catch (error: unknown) {
    return err(`${file}: is no configuration that can be read: ${sentence(error)}`);
  }
}

async function fromAdmin(address: string): Promise<Result<Place, string>> {
  try {
    const answer = await fetch(new URL("/config_dump", address));
    if (!answer.ok) return err(`${address}: is no admin interface of an Envoy: it answers with ${answer.status}`);
    return ok(new Place(address, "", await answer.json()));
  } catch (error: unknown) {
    return err(`${address}: is no admin interface of an Envoy: ${sentence(error)}`);
  }
}

/** Of a parser's message the first line; it goes on with a picture. */
function sentence(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]?.replace(/:$/, "") ?? "";
}
