/** A part of a server's message as JSON text, and beside it what in it only some callers may see. */
import { mayUse } from "../world.ts";
import type { CallerName } from "../world.ts";
import { objectText } from "./json.ts";

/** `mark` stands in the text, and nowhere else. `kind` is the same for many marks: it names what must not be seen. */
export type Secret = {
  readonly kind: string;
  readonly mark: string;
  readonly isFor: (caller: CallerName) => boolean;
};
export type Part = { readonly text: string; readonly secrets: readonly Secret[] };

export const part = (text: string, secrets: readonly Secret[] = []): Part => ({ text, secrets });

export const joined = (parts: readonly Part[], join: (texts: readonly string[]) => string): Part =>
  part(
    join(parts.map(({ text }) => text)),
    parts.flatMap(({ secrets }) => secrets),
  );

/** Members without a value are left out. */
export function objectPart(members: Readonly<Record<string, Part | string | undefined>>): Part {
  const texts = Object.entries(members).map(([key, value]) => [key, typeof value === "object" ? value.text : value]);
  const secrets = Object.values(members).flatMap((value) => (typeof value === "object" ? value.secrets : []));
  return part(objectText(Object.fromEntries(texts) as Record<string, string | undefined>), secrets);
}

/** What stands for the thing in the text: in one piece, however its name is written. */
const markOf = (kind: string, name: string): string => `<${kind} ${Buffer.from(name).toString("hex").slice(-40)}>`;

export const secretName = (kind: "tool" | "prompt" | "resource" | "template", name: string): Secret => ({
  kind: `the entry of a ${kind}`,
  mark: markOf(kind, name),
  isFor: (caller) => mayUse(caller, kind, name),
});

export const secretContent = (uri: string): Secret => ({
  kind: "resource content",
  mark: markOf("content", uri),
  isFor: (caller) => mayUse(caller, "resource", uri),
});

/** A request to the client. */
export const secretRequest = (kind: string, method: string): Secret => ({
  kind,
  mark: markOf(kind, method),
  isFor: (caller) => method === "ping" || mayUse(caller, "method", method),
});
