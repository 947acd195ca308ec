import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { member, ROOT } from "../../../src/core/jsonrpc/json.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { loggedArguments } from "../../../src/core/mcp/logged-arguments.ts";
import { utf8 } from "../../fixtures/bytes.ts";

function logged(args: unknown, ...keys: readonly string[]) {
  const json = scan(utf8(JSON.stringify({ params: { name: "echo", arguments: args } })), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  return loggedArguments(json, member(json, ROOT, "params"), keys);
}

/** The text under the one key that is asked for. */
const text = (value: unknown): string | undefined => logged({ value }, "value")?.values["value"];

describe("the arguments on record", () => {
  test("are none unless some are asked for", () => {
    expect(logged({ path: "/etc/hosts" })).toBeUndefined();
    expect(logged(undefined, "path")).toBeUndefined();
    expect(logged(null, "path")).toBeUndefined();
  });

  test("are those of the keys that are asked for, and of the others their number alone", () => {
    expect(logged({ path: "/etc/hosts", Path: "x", query: "q", "a secret name": 1 }, "path", "query", "none")).toEqual({
      values: { path: "/etc/hosts", query: "q" },
      withheld: 2,
    });
    expect(logged({}, "path")).toEqual({ values: {}, withheld: 0 });
  });

  test("are found by the text of their keys, whatever that is", () => {
    expect(logged({ größe: "1", toString: "2", 'a "b"': "3" }, 'a "b"', "größe", "toString")).toEqual({
      values: { größe: "1", toString: "2", 'a "b"': "3" },
      withheld: 0,
    });
    expect(logged({ é: "1" }, "Ã©")).toEqual({ values: {}, withheld: 1 });
  });

  test("are strings as they are, and everything else as JSON", () => {
    expect(text('say "hi"')).toBe('say "hi"');
    expect(text(-1.5e3)).toBe("-1500");
    expect(text(true)).toBe("true");
    expect(text(null)).toBe("null");
    expect(text([])).toBe("[]");
    expect(text({})).toBe("{}");
    expect(text({ a: [1, "x\ny", { b: null }], "c d": false })).toBe('{"a":[1,"x\\ny",{"b":null}],"c d":false}');
  });

  test("are cut to 256 characters, visibly, also inside", () => {
    expect(text("n".repeat(256))).toBe("n".repeat(256));
    expect(text("n".repeat(257))).toBe(`${"n".repeat(255)}…`);
    expect(text(["n".repeat(1_000), "x"])).toBe(`["${"n".repeat(253)}…`);
    expect(text(Array.from({ length: 1_000 }, (_, i) => i))).toMatch(/^\[0,1,2,[0-9,]{248}…$/);
    expect(text(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i])))).toHaveLength(256);
  });

  test("are no secrets: neither by their key, which is asked for all the same, nor by their form", () => {
    const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
    expect(logged({ password: "hunter2", token: 17, note: `see ${jwt}` }, "password", "token", "note")).toEqual({
      values: { password: "[redacted]", token: "[redacted]", note: "[redacted]" },
      withheld: 0,
    });
    expect(text({ user: "ann", password: "hunter2", deep: [{ apiKey: { x: 1 } }] })).toBe(
      '{"user":"ann","password":"[redacted]","deep":[{"apiKey":"[redacted]"}]}',
    );
    expect(text(["-H", "Authorization: Bearer abc", "x"])).toBe('["-H","[redacted]","x"]');
    expect(text({ [`key ${jwt}`]: 1 })).toBe('{"[redacted]":1}');
    expect(text(`${"x".repeat(240)} ${jwt}`)).toBe("[redacted]");
  });

  test("are what JSON.stringify says, cut, where there is nothing to hide", () => {
    const value = fc
      .jsonValue({ maxDepth: 4 })
      .filter((one) => typeof one !== "string" && !JSON.stringify(one).includes("__proto__"));
    fc.assert(
      fc.property(value, (one) => {
        const whole = JSON.stringify(JSON.parse(JSON.stringify(one)));
        const found = text(one) ?? "";
        fc.pre(!found.includes("[redacted]") && !whole.includes("\\ud"));
        expect(found).toBe(whole.length <= 256 ? whole : `${whole.slice(0, 255)}…`);
      }),
    );
  });
});
