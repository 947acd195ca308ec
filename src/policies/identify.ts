/**
 * Which document a value is, and whom it is about, when nothing about its form is certain: an invalid document has to be
 * matched with its last good version, or to deny what it was meant for.
 */
import { documentName } from "../core/policy/document.ts";
import type { About, ServerMatch } from "../core/policy/document.ts";

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

const EVERYONE: About = { targets: "all", matches: [] };

/** What an invalid document is about. Anything unclear counts as everything: a Deny rule must not get lost. */
export function guessAbout(value: unknown): About {
  const { kind, metadata, spec } = fieldsOf(value);
  const { name, namespace = "default" } = fieldsOf(metadata);
  if (typeof namespace !== "string") return EVERYONE;
  const { targetRefs, match } = fieldsOf(spec);
  const names = kind === "MCPServer" ? [name] : listOf(targetRefs).map((ref) => fieldsOf(ref)["name"]);
  const matches = kind === "MCPServer" ? listOf(match).map(guessMatch) : [];
  if (names.length === 0 || (kind === "MCPServer" && matches.length === 0)) return EVERYONE;
  if (!names.every((one) => typeof one === "string") || !matches.every((one) => one !== undefined)) return EVERYONE;
  return { targets: names.map((one) => documentName({ name: one, namespace })), matches };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function guessMatch(value: unknown): ServerMatch | undefined {
  const { route, path, host, messages } = fieldsOf(value);
  if (typeof route === "string") return path === undefined ? { route } : undefined;
  if (!isPath(path) || (messages !== undefined && !isPath(messages))) return undefined;
  if (host !== undefined && typeof host !== "string") return undefined;
  return { path, ...(host === undefined ? {} : { host }), ...(messages === undefined ? {} : { messages }) };
}

const isPath = (value: unknown): value is string => typeof value === "string" && /^\/[^?#]*$/.test(value);
