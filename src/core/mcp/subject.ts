/**
 * What policy is asked about: a tool, a prompt, a resource, a template of resources, or a method. Subjects are made here
 * alone, from decoded and checked text, so that a raw header value or an escaped string cannot reach a rule.
 */
import { utf8Length } from "../bytes.ts";
import { hasControl } from "../jsonrpc/message.ts";
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import { uriFault } from "./uri.ts";

declare const checked: unique symbol;
/** Text that has been decoded and checked. Compared exactly: never trimmed, folded or normalised. */
export type CheckedText = string & { readonly [checked]: true };

export type Subject = {
  readonly kind: "tool" | "prompt" | "resource" | "template" | "method";
  readonly name: CheckedText;
};

const MAX_NAME_BYTES = 256;
const MAX_TEMPLATE_BYTES = 2048;

/** A tool's or prompt's name. The error says what is wrong with it. */
export function nameSubject(kind: "tool" | "prompt", name: string): Result<Subject, string> {
  if (name === "") return err("is empty");
  if (utf8Length(name) > MAX_NAME_BYTES) return err(`is longer than ${MAX_NAME_BYTES} bytes`);
  if (hasControl(name)) return err("holds a control character");
  return ok({ kind, name: name as CheckedText });
}

export function resourceSubject(uri: string): Result<Subject, string> {
  const fault = uriFault(uri);
  return fault === undefined ? ok({ kind: "resource", name: uri as CheckedText }) : err(fault);
}

/** A URI template (RFC 6570): its expressions stand for any text. */
export function templateSubject(template: string): Result<Subject, string> {
  if (template.length > MAX_TEMPLATE_BYTES) return err(`is longer than ${MAX_TEMPLATE_BYTES} bytes`);
  const plain = template.replaceAll(/\{[^{}]*\}/g, "x");
  const fault = uriFault(plain);
  return fault === undefined ? ok({ kind: "template", name: template as CheckedText }) : err(fault);
}

/** Only for methods of the table: their names are ours, not the caller's. */
export const methodSubject = (method: string): Subject => ({ kind: "method", name: method as CheckedText });

/** A client's answer to a server's request, which names no method. Covered by a grant for any such request. */
export const ANSWERS: Subject = methodSubject("answer");
