/**
 * A value against the schema of the documents. ajv finds the mistakes; here they become one problem a mistake, in words
 * for the person who wrote the document. The branch of `oneOf` is picked by `kind` beforehand: ajv itself would report
 * what is wrong with every branch.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ErrorObject, ValidateFunction } from "ajv";
import { DOCUMENT_SCHEMA } from "../core/policy/document.ts";
import type { PolicyDocument } from "../core/policy/document.ts";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { closest } from "../core/closest.ts";
import { expected, found, quoted } from "./wording.ts";
import type { SchemaNode } from "./wording.ts";

export type Segment = string | number;

/** A problem at a place inside a value; `key` is the field in it that the line should be of. */
export type Mistake = { readonly at: readonly Segment[]; readonly key?: string; readonly message: string };

const ajv = new Ajv2020({ allErrors: true, verbose: true });
const { oneOf: BRANCHES, $id: _id, ...HEAD } = DOCUMENT_SCHEMA;
const head = ajv.compile(HEAD);
const byKind = new Map<unknown, ValidateFunction>(
  BRANCHES.map((branch: SchemaNode) => [branch.properties?.["kind"]?.const, ajv.compile(branch)]),
);

/** Checks the form of one document; answers all mistakes at once. */
export function validateDocument(value: unknown): Result<PolicyDocument, readonly Mistake[]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message = `must be an object with "apiVersion", "kind", "metadata" and "spec", but is ${found(value)}`;
    return err([{ at: [], message }]);
  }
  const validate = byKind.get("kind" in value ? value.kind : undefined) ?? head;
  if (validate(value)) return ok(value as PolicyDocument);
  return err(toMistakes(validate.errors ?? []));
}

function toMistakes(errors: readonly ErrorObject[]): readonly Mistake[] {
  // What an alternative of a nested oneOf lacks is noise: the oneOf itself is reported.
  const outer = errors.filter((error) => !error.schemaPath.includes("/oneOf/"));
  const unknown = outer.filter((error) => error.keyword === "additionalProperties");
  return outer.filter((error) => !isConsequence(error, unknown)).map(toMistake);
}

/** A misspelt field also leaves the right one missing: one mistake, one problem. */
function isConsequence(error: ErrorObject, unknown: readonly ErrorObject[]): boolean {
  const beside = unknown.filter((other) => other.instancePath === error.instancePath);
  if (error.keyword === "oneOf") return beside.length > 0;
  return error.keyword === "required" && beside.some((other) => meant(other) === param(error, "missingProperty"));
}

function toMistake(error: ErrorObject): Mistake {
  const at = segmentsOf(error.instancePath);
  const schema = (error.parentSchema ?? {}) as SchemaNode;
  switch (error.keyword) {
    case "required": {
      const field = param(error, "missingProperty");
      return { at: [...at, field], message: `is missing; expected ${expected(schema.properties?.[field] ?? {})}` };
    }
    case "additionalProperties": {
      const field = param(error, "additionalProperty");
      const word = meant(error);
      const advice = word === undefined ? `expected only ${quoted(fieldsOf(schema))}` : `did you mean "${word}"?`;
      return { at, key: field, message: `unknown field ${JSON.stringify(field)}; ${advice}` };
    }
    case "minProperties":
      return { at, message: `must have at least one of ${quoted(fieldsOf(schema))}, but is ${found(error.data)}` };
    case "minItems":
      return { at, message: "must have at least one entry, but is an empty list" };
    case "minLength":
      return { at, message: "must not be empty" };
    case "oneOf":
      return { at, message: `must be ${expected(schema)}, but ${has(error.data as object)}` };
    case "not":
      return { at, message: schema.description ?? "is not supported" };
    default:
      return { at, message: `must be ${expected(schema)}, but is ${found(error.data)}${quotingHint(error, schema)}` };
  }
}

const has = (value: object): string =>
  Object.keys(value).length === 0 ? `is ${found(value)}` : `has ${quoted(Object.keys(value))}`;

/** YAML reads `123` and `true` as something other than text, which surprises people. */
const quotingHint = (error: ErrorObject, schema: SchemaNode): string =>
  schema.type === "string" && (typeof error.data === "number" || typeof error.data === "boolean")
    ? "; put it in quotes"
    : "";

const param = (error: ErrorObject, name: string): string => String((error.params as Record<string, unknown>)[name]);

const meant = (error: ErrorObject): string | undefined =>
  closest(param(error, "additionalProperty"), fieldsOf((error.parentSchema ?? {}) as SchemaNode));

/** The fields one may write: without those that are refused in any case. */
const fieldsOf = (schema: SchemaNode): readonly string[] =>
  Object.entries(schema.properties ?? {})
    .filter(([, field]) => field.not === undefined)
    .map(([name]) => name);

/** No field of the schema is called like a number, so a number is always a place in a list. */
const segmentsOf = (pointer: string): readonly Segment[] =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~")));
