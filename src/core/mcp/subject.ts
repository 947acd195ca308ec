/**
 * What policy is asked about: a tool, a prompt, a resource, a template of resources, or a method. Subjects are made here
 * alone, from decoded and checked text, so that a raw header value or an escaped string cannot reach a rule.
 */
import { utf8Length } from "../bytes.ts";
import { hasControl } from "../jsonrpc/message.ts";
import type { Limits } from "../limits.ts";
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import { uriFault } from "./uri.ts";

declare const checked: unique symbol;
/** Text that has been decoded and checked. Compared exactly: never trimmed, folded or normalised. */
export type CheckedText = string & { readonly [checked]: true };

export type Subject = {
  readonly kind: "tool" | "prompt" | "resource" | "template" | "method";
  readonly name: CheckedText;
  /** Why a URI is not in normal form: servers differ in which resource it is. `decide` takes it for any of them. */
  readonly odd?: string;
};

/** `message` completes "the tool's name ...". */
export type SubjectFault = {
  readonly reason: "invalid-params" | "name-too-long" | "uri-too-long";
  readonly message: string;
};

type NameLimits = Pick<Limits, "maxNameBytes" | "maxUriBytes">;

const invalid = (message: string): Result<never, SubjectFault> => err({ reason: "invalid-params", message });

/** Text of at most that many bytes, not empty, without control characters. */
export function checkedName(name: string, { maxNameBytes }: NameLimits): Result<CheckedText, SubjectFault> {
  if (name === "") return invalid("is empty");
  if (utf8Length(name) > maxNameBytes)
    return err({ reason: "name-too-long", message: `is longer than ${maxNameBytes} bytes` });
  if (hasControl(name)) return invalid("holds a control character");
  return ok(name as CheckedText);
}

export function nameSubject(kind: "tool" | "prompt", name: string, limits: NameLimits): Result<Subject, SubjectFault> {
  const text = checkedName(name, limits);
  return text.ok ? ok({ kind, name: text.value }) : text;
}

export const resourceSubject = (uri: string, limits: NameLimits): Result<Subject, SubjectFault> =>
  uriSubject("resource", uri, uri, limits);

/** A URI template (RFC 6570): its expressions stand for any text. */
export const templateSubject = (template: string, limits: NameLimits): Result<Subject, SubjectFault> =>
  uriSubject("template", template, template.replaceAll(/\{[^{}]*\}/g, "x"), limits);

function uriSubject(
  kind: "resource" | "template",
  text: string,
  uri: string,
  { maxUriBytes }: NameLimits,
): Result<Subject, SubjectFault> {
  if (text === "") return invalid("is empty");
  if (utf8Length(text) > maxUriBytes)
    return err({ reason: "uri-too-long", message: `is longer than ${maxUriBytes} bytes` });
  if (hasControl(text)) return invalid("holds a control character");
  const odd = uriFault(uri);
  return ok(odd === undefined ? { kind, name: text as CheckedText } : { kind, name: text as CheckedText, odd });
}

/** Only for methods of the table: their names are ours, not the caller's. */
export const methodSubject = (method: string): Subject => ({ kind: "method", name: method as CheckedText });

/** A client's answer to a server's request, which names no method. Covered by a grant for any such request. */
export const ANSWERS: Subject = methodSubject("answer");
