import { expect, test } from "vitest";
import { compare } from "./compare.ts";
import type { Compared } from "./compare.ts";
import type { Check } from "./suite.ts";

const check = (name: string, status: Check["status"], errorMessage?: string): Check => ({
  id: name,
  name,
  status,
  ...(errorMessage === undefined ? {} : { errorMessage }),
});

function compared(direct: readonly Check[], through: readonly Check[]): Compared {
  const findings = { direct: new Map([["scenario", direct]]), through: new Map([["scenario", through]]) };
  const [first] = compare([{ name: "scenario", isScored: true }], findings);
  if (first === undefined) throw new Error("nothing was compared");
  return first;
}

test("a check that passes directly only is lost, and the suite says why", () => {
  const { lost } = compared([check("a", "SUCCESS")], [check("a", "FAILURE", "no answer")]);
  expect(lost).toEqual([{ check: "a", because: "no answer" }]);
});

test.each(["WARNING", "SKIPPED", "INFO"] as const)("a check that passes directly and ends as %s is lost", (status) => {
  expect(compared([check("a", "SUCCESS")], [check("a", status)]).lost).toEqual([{ check: "a", because: status }]);
});

test("a check that is not made through Toolgate is lost", () => {
  expect(compared([check("a", "SUCCESS")], []).lost).toEqual([{ check: "a", because: "not made" }]);
});

test("checks of one name are told apart by their number", () => {
  const direct = [check("a", "SUCCESS"), check("a", "SUCCESS")];
  const { lost } = compared(direct, [check("a", "SUCCESS"), check("a", "FAILURE", "no answer")]);
  expect(lost).toEqual([{ check: "a 2", because: "no answer" }]);
});

test("a check that fails directly too is failing, and not lost", () => {
  const { lost, failing } = compared([check("a", "FAILURE", "broken")], [check("a", "FAILURE", "broken")]);
  expect(lost).toEqual([]);
  expect(failing).toEqual([{ check: "a", because: "broken" }]);
});

test("what is skipped or only told is not counted", () => {
  const checks = [check("a", "SUCCESS"), check("b", "WARNING"), check("c", "SKIPPED"), check("d", "INFO")];
  const { direct, through } = compared(checks, checks);
  expect(direct).toEqual({ passed: 1, made: 2 });
  expect(through).toEqual(direct);
});
