import { describe, expect, test } from "vitest";
import { SERVER_NOTIFICATIONS } from "../../../src/core/mcp/methods.ts";
import { AS_IT_CAME, deliveredTo, SEES_ALL } from "../../fixtures/deliveries.ts";
import { notification } from "../../fixtures/messages.ts";

/** Params of the types that MCP gives them, for each notification that has some. */
const VALUES: { readonly [param: string]: unknown } = {
  uri: "x:/a",
  notifications: { toolsListChanged: true },
  inputRequests: {},
  result: {},
  error: { code: -1, message: "no" },
};
const paramsOf = (known: readonly string[]): { readonly [param: string]: unknown } =>
  Object.fromEntries([...known, "_meta"].map((param) => [param, VALUES[param] ?? { any: [param] }]));

const ALL = [...SERVER_NOTIFICATIONS].map(([name, { needs, params }]) => ({ name, needs, params: paramsOf(params) }));
const GRANTS = ["resource x:/a", ...ALL.flatMap(({ needs }) => (needs === undefined ? [] : [`method ${needs}`]))];

describe.each(ALL)("the notification $name", ({ name, needs, params }) => {
  test("is delivered as it came with all params that MCP gives it, in both eras", () => {
    expect(deliveredTo(notification(name, params), GRANTS)).toBe(AS_IT_CAME);
    expect(deliveredTo(notification(name, params), GRANTS, { era: "modern" })).toBe(AS_IT_CAME);
    expect(deliveredTo(notification(name, params), GRANTS, { pending: undefined })).toBe(AS_IT_CAME);
  });

  test("loses params that MCP does not give it, also those in another case", () => {
    const [first = "x"] = Object.keys(params);
    const odd = { leaked: "admin", [first.toUpperCase()]: "x:/b", [`${first} `]: 1 };
    const delivered = deliveredTo(notification(name, { ...params, ...odd }), GRANTS);
    // What a reader who ignores case takes for the URI is no reason to guess which of the two is meant.
    if (name === "notifications/resources/updated") expect(delivered).toMatch(/^withheld/);
    else expect(delivered).toBe(notification(name, params));
  });

  test("keeps them for a caller from whom nothing is hidden", () => {
    expect(deliveredTo(notification(name, { ...params, more: 1 }), [], SEES_ALL)).toBe(AS_IT_CAME);
  });

  test("needs what the table says, and nothing else", () => {
    const but = GRANTS.filter((grant) => grant !== `method ${needs}`);
    expect(deliveredTo(notification(name, params), but)).toBe(
      needs === undefined ? AS_IT_CAME : `withheld: it is ${name}, which needs a rule that allows ${needs}`,
    );
  });

  test("is delivered without what would be filtered, or could not be, in a result", () => {
    const odd = { content: [], inputRequests: 5, tools: 1, notifications: { resourceSubscriptions: ["x:/b"] } };
    const more = Object.fromEntries(Object.entries(odd).filter(([key]) => !Object.hasOwn(params, key)));
    expect(deliveredTo(notification(name, { ...params, ...more }), GRANTS)).toBe(
      name === "notifications/tasks" ? 'withheld: it has "tools" that is not a list' : notification(name, params),
    );
  });

  test("is another one in another case", () => {
    const other = name.replace("notifications/", "Notifications/");
    expect(deliveredTo(notification(other, params), GRANTS)).toBe(
      `withheld: it is a notification that is not known, ${other}`,
    );
  });
});

describe("a notification that MCP does not know", () => {
  test.each([
    "notifications/initialized",
    "notifications/roots/list_changed",
    "notifications/x",
    "x",
    "",
    "constructor",
  ])("is for callers from whom nothing is hidden: %j", (name) => {
    for (const text of [notification(name), notification(name, { a: 1 })]) {
      expect(deliveredTo(text, GRANTS)).toBe(`withheld: it is a notification that is not known, ${name}`);
      expect(deliveredTo(text, [], SEES_ALL)).toBe(AS_IT_CAME);
    }
  });

  test("is named by its beginning only", () => {
    const fault = deliveredTo(notification("x".repeat(5_000)));
    expect(fault).toBe(`withheld: it is a notification that is not known, ${"x".repeat(64)}`);
  });
});

describe("a notification without params", () => {
  test("is delivered where it needs no rule", () => {
    for (const { name, needs } of ALL)
      expect(deliveredTo(notification(name)), name).toMatch(needs === undefined ? /^as it came$/ : /^withheld/);
  });
});

describe("notifications/resources/updated", () => {
  const updated = (params: object): string =>
    deliveredTo(notification("notifications/resources/updated", params), GRANTS);
  const hidden = "withheld: it is about a resource that no rule lets the caller read";

  test("comes to who may read the resource, which may be a part of the one subscribed to", () => {
    expect(updated({ uri: "x:/a" })).toBe(AS_IT_CAME);
    expect(updated({ uri: "x:/a/b" })).toBe(hidden);
  });

  test.each([{}, { uri: 1 }, { uri: null }, { uri: ["x:/a"] }, { uri: "" }, { uri: "x:/a/../a" }, { URI: "x:/a" }])(
    "does not come when nobody can tell what it is about: %j",
    (params) => {
      expect(updated(params)).toBe(hidden);
    },
  );

  test("does not come with a second URI in another case", () => {
    expect(updated({ uri: "x:/a", Uri: "x:/b" })).toBe(hidden);
    expect(updated({ Uri: "x:/b", uri: "x:/a" })).toBe(hidden);
  });
});

describe("notifications/subscriptions/acknowledged", () => {
  const acknowledged = (notifications: unknown): string =>
    notification("notifications/subscriptions/acknowledged", { notifications, _meta: { s: 1 } });
  const filter = { toolsListChanged: true, resourceSubscriptions: ["x:/b", "x:/a", "x:/c"], taskIds: ["t", "u"] };

  test("shows the resources that the caller may read", () => {
    expect(deliveredTo(acknowledged(filter), ["resource x:/a", "method tasks/get"])).toBe(
      acknowledged({ ...filter, resourceSubscriptions: ["x:/a"] }),
    );
  });

  test("shows tasks to who may get them", () => {
    expect(deliveredTo(acknowledged(filter), ["resource x:/a"])).toBe(
      acknowledged({ ...filter, resourceSubscriptions: ["x:/a"], taskIds: [] }),
    );
  });

  test("shows nothing that is no text, and no URI that is not in normal form", () => {
    const odd = { resourceSubscriptions: [1, null, ["x:/a"], { uri: "x:/a" }, "", "x:/a/./"], taskIds: [1, {}] };
    expect(deliveredTo(acknowledged(odd), ["resource x:/a", "method tasks/get"])).toBe(
      acknowledged({ resourceSubscriptions: [], taskIds: [] }),
    );
  });

  test.each([
    null,
    "x",
    [],
    ["resourceSubscriptions", ["x:/b"]],
    {},
    { toolsListChanged: true },
    { toolsListChanged: true, more: 1 },
    { resourceSubscriptions: { "x:/b": 1 }, taskIds: "t" },
  ])("is as it came with what no client reads as a list of resources: %j", (value) => {
    expect(deliveredTo(acknowledged(value))).toBe(AS_IT_CAME);
  });

  test("does not show a list of URIs under a key in another case, whatever stands beside it", () => {
    expect(deliveredTo(acknowledged({ ResourceSubscriptions: ["x:/b"] }))).toBe(acknowledged({}));
    const both = { toolsListChanged: true, RESOURCESUBSCRIPTIONS: ["x:/b"], resourceSubscriptions: ["x:/a", "x:/b"] };
    expect(deliveredTo(acknowledged(both), ["resource x:/a"])).toBe(
      acknowledged({ toolsListChanged: true, resourceSubscriptions: ["x:/a"] }),
    );
    expect(deliveredTo(acknowledged({ TaskIds: ["t"], x: 1 }))).toBe(acknowledged({}));
  });
});

describe("notifications/tasks", () => {
  const tasks = (params: object): string => notification("notifications/tasks", { taskId: "t", ...params });
  const to = (params: object, ...granted: string[]): string =>
    deliveredTo(tasks(params), ["method tasks/get", ...granted], { era: "modern" });

  test("has its result filtered like any other", () => {
    const result = {
      content: [
        { type: "resource_link", uri: "x:/a" },
        { type: "resource_link", uri: "x:/b" },
      ],
    };
    expect(to({ result }, "resource x:/a")).toBe(
      tasks({ result: { content: [{ type: "resource_link", uri: "x:/a" }] } }),
    );
    expect(to({ result: { tools: [{ name: "a" }] } })).toBe(tasks({ result: { tools: [] } }));
    expect(to({ result: { contents: [{ uri: "x:/b" }] } })).toMatch(/^withheld: it holds only resources/);
  });

  test("has its error filtered like any other", () => {
    expect(to({ error: { code: 1, message: "no", data: "admin" } })).toBe(tasks({ error: { code: 1, message: "no" } }));
  });

  test("asks the client for nothing that no rule allows", () => {
    const inputRequests = { a: { method: "elicitation/create" } };
    expect(to({ inputRequests })).toBe("withheld: it asks the client for input that no rule allows");
    expect(to({ inputRequests }, "method elicitation/create")).toBe(AS_IT_CAME);
  });

  test("is not delivered with a member in another case", () => {
    expect(to({ Result: { content: [] } })).toBe('withheld: it has "Result", which some read as another member');
  });

  test("loses what else it has, together with what was changed in it", () => {
    expect(to({ tools: [{ name: "a" }], result: { tools: [{ name: "a" }], x: 1 } })).toBe(
      tasks({ result: { tools: [], x: 1 } }),
    );
  });
});
