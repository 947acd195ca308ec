/** Each case that has once broken a promise (test/fixtures/fuzz) is played again. */
import { afterAll, describe, expect, test } from "vitest";
import { readCaseFiles } from "./case-file.ts";
import { endOf } from "./hunt.ts";
import { PROPERTIES } from "./properties.ts";
import type { Property } from "./property.ts";
import { requiredReaders } from "./required-readers.ts";

const readers = await requiredReaders();
afterAll(() => readers.stop());

const propertyOf = (name: string): Property => {
  const found = PROPERTIES.find(({ property }) => property.name === name);
  if (found === undefined) throw new Error(`no property is called ${name}`);
  return found.property;
};
const CASES = readCaseFiles().map(([name, file]) => ({ name, file, property: propertyOf(file.property) }));
const canBeTried = ({ property }: { property: Property }): boolean =>
  !property.needs.some((one) => readers.missing.has(one));

describe("a case that once broke a promise", () => {
  for (const { name, file, property } of CASES.filter(({ file: { known } }) => known === undefined)) {
    test.skipIf(!canBeTried({ property }))(`is right now: ${name}, ${file.message}`, async () => {
      expect(await endOf(property, readers, file.case)).toMatchObject({ isBroken: false });
    });
  }

  for (const { name, file, property } of CASES.filter(({ file: { known } }) => known !== undefined)) {
    test.skipIf(!canBeTried({ property }))(`still is what it was, or its file loses "known": ${name}`, async () => {
      expect(await endOf(property, readers, file.case), file.known).toEqual({ text: file.message, isBroken: true });
    });
  }
});
