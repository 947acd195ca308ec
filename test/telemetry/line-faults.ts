/** Holds lines of the decision log against the schema that is published, and against what it does not name. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { DECISION_SCHEMA } from "../../src/telemetry/decision-schema.ts";

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
const kinds = DECISION_SCHEMA.oneOf.map((kind) => ({
  validate: ajv.compile({ ...kind, additionalProperties: false }),
  order: Object.keys(kind.properties),
}));

/** What is wrong with a line, as sentences. */
export function lineFaults(line: string): readonly string[] {
  const value = JSON.parse(line) as object;
  const kind = kinds["event" in value ? 1 : 0];
  if (kind === undefined) throw new Error("the schema has two kinds of lines");
  kind.validate(value);
  const faults = (kind.validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}: ${line}`);
  const members = Object.keys(value);
  const inOrder = kind.order.filter((member) => members.includes(member));
  return members.join() === inOrder.join() ? faults : [...faults, `another order: ${line}`];
}
