/**
 * Which document a value is, and whom it is about, when nothing about its form is certain: an invalid document has to be
 * matched with its last good version, or to deny what it was meant for.
 */
import { documentName } from "../core/policy/document.ts";

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** `documentKey()` for any value; `undefined` where kind, name or namespace cannot be read. */
export function guessKey(value: unknown): string | undefined {
  const { kind, metadata } = fieldsOf(value);
  const { name, namespace } = fieldsOf(metadata);
  if ((kind !== "MCPServer" && kind !== "MCPAccessPolicy") || typeof name !== "string") return undefined;
  if (namespace === undefined) return `${kind} ${documentName({ name })}`;
  return typeof namespace === "string" ? `${kind} ${documentName({ name, namespace })}` : undefined;
}

/** Whom an invalid document is about. Anything unclear counts as everyone: a Deny rule must not get lost. */
export function guessTargets(value: unknown): readonly string[] | "all" {
  const { kind, metadata, spec } = fieldsOf(value);
  const { name, namespace = "default" } = fieldsOf(metadata);
  if (typeof namespace !== "string") return "all";
  const { targetRefs } = fieldsOf(spec);
  const names: readonly unknown[] =
    kind === "MCPServer" ? [name] : Array.isArray(targetRefs) ? targetRefs.map((ref) => fieldsOf(ref)["name"]) : [];
  if (names.length === 0 || !names.every((one) => typeof one === "string")) return "all";
  return names.map((one) => documentName({ name: one, namespace }));
}
