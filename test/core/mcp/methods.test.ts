import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  CLIENT_TASK_REQUESTS,
  GRANTABLE_METHODS,
  METHODS,
  SERVER_NOTIFICATIONS,
  SERVER_REQUESTS,
} from "../../../src/core/mcp/methods.ts";

const page = readFileSync(new URL("../../../docs/mcp.md", import.meta.url), "utf8");
/** `notifications/*\/list_changed` and `tasks/*` stand for several. */
const isOnPage = (name: string): boolean =>
  page.includes(`\`${name}\``) || page.includes(`\`${name.replace(/\/\w+\/list_changed$/, "/*/list_changed")}\``);

describe("the method table", () => {
  test.each([...Object.keys(METHODS), ...SERVER_REQUESTS, ...SERVER_NOTIFICATIONS.keys()])(
    "%s is on the page about MCP",
    (name) => {
      expect(isOnPage(name)).toBe(true);
    },
  );

  test("has every method that a rule can grant, and no word of ours among them", () => {
    expect(GRANTABLE_METHODS).toEqual(expect.arrayContaining([...SERVER_REQUESTS, ...CLIENT_TASK_REQUESTS]));
    expect(GRANTABLE_METHODS).not.toContain("answer");
    expect(new Set(GRANTABLE_METHODS).size).toBe(GRANTABLE_METHODS.length);
  });
});
