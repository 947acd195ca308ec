import * as published from "@opentelemetry/semantic-conventions/incubating";
import { expect, test } from "vitest";
import { CONVENTIONS } from "../../../src/telemetry/traces/conventions.ts";

test("each name that is said to be of the conventions is published there", () => {
  const names: ReadonlySet<unknown> = new Set(Object.values(published));
  expect(Object.values(CONVENTIONS).filter((name) => !names.has(name))).toEqual([]);
});
