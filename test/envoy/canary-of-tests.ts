import { afterAll, afterEach, beforeAll } from "vitest";
import { Canary } from "./canary.ts";

/** A canary for the tests of a file, or of the `describe` that it is asked for in. After each it forgets what it has seen. */
export function canaryOfTests(): Canary {
  const canary = new Canary();
  beforeAll(() => canary.listen());
  afterEach(() => canary.forget());
  afterAll(() => canary[Symbol.asyncDispose]());
  return canary;
}
