import { describe, expect, test } from "vitest";
import type { Id } from "../../src/core/jsonrpc/message.ts";
import { InFlight } from "../../src/grpc/in-flight.ts";

const [ONE, TWO, TEXT] = ["1" as Id, "2" as Id, '"1"' as Id];
const waiting = () => ({ cancel: () => {} });

describe("InFlight", () => {
  test("finds a call by its scope and its id, and by nothing else", () => {
    const inFlight = new InFlight();
    const call = waiting();
    inFlight.begin(call, "a", ONE);
    expect(inFlight.find("a", ONE)).toBe(call);
    for (const [scope, id] of [
      ["a", TWO],
      ["a", TEXT],
      ["b", ONE],
      ["", ONE],
      ["a 1", "" as Id],
    ] as const)
      expect(inFlight.find(scope, id), `${scope} ${id}`).toBeUndefined();
  });

  test("forgets all calls of an exchange when it ends, and no others", () => {
    const inFlight = new InFlight();
    const [ending, staying] = [waiting(), waiting()];
    inFlight.begin(ending, "a", ONE);
    inFlight.begin(ending, "a", TWO);
    inFlight.begin(staying, "b", ONE);
    inFlight.end(ending);
    expect([inFlight.find("a", ONE), inFlight.find("a", TWO), inFlight.find("b", ONE)]).toEqual([
      undefined,
      undefined,
      staying,
    ]);
  });

  test("finds the later of two calls with one id, also after the earlier has ended", () => {
    const inFlight = new InFlight();
    const [earlier, later] = [waiting(), waiting()];
    inFlight.begin(earlier, "a", ONE);
    inFlight.begin(later, "a", ONE);
    expect(inFlight.find("a", ONE)).toBe(later);
    inFlight.end(earlier);
    expect(inFlight.find("a", ONE)).toBe(later);
    inFlight.end(later);
    expect(inFlight.find("a", ONE)).toBeUndefined();
  });

  test("takes an end of what never began, and a second one", () => {
    const inFlight = new InFlight();
    const call = waiting();
    inFlight.end(call);
    inFlight.begin(call, "a", ONE);
    inFlight.end(call);
    inFlight.end(call);
    expect(inFlight.find("a", ONE)).toBeUndefined();
  });
});
