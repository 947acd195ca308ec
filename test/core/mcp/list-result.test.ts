import { describe, expect, test } from "vitest";
import { deliver } from "../../../src/core/mcp/answer.ts";
import { LIST_MEMBERS } from "../../../src/core/mcp/list-result.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { AS_IT_CAME, deliveredTo, SEES_ALL } from "../../fixtures/deliveries.ts";
import { result } from "../../fixtures/messages.ts";

/** Where an entry has its name, and what has to be granted to see it. */
const LISTS = {
  tools: ["name", "tool"],
  prompts: ["name", "prompt"],
  resources: ["uri", "resource"],
  resourceTemplates: ["uriTemplate", "template"],
  skills: ["uri", "resource"],
  tasks: ["taskId", "method"],
} as const;

const list = (name: string, ...entries: readonly unknown[]): string => result({ [name]: entries, nextCursor: "" });

test("there are no other lists", () => {
  expect([...LIST_MEMBERS].toSorted()).toEqual(Object.keys(LISTS).toSorted());
});

describe.each(Object.entries(LISTS).filter(([name]) => name !== "tasks"))("a list of %s", (name, [key, kind]) => {
  const grants = [`${kind} x:/a`, `${kind} x:/c`];
  const entry = (text: unknown, more: object = {}) => ({ title: "t", [key]: text, ...more });
  const to = (...entries: readonly unknown[]): string => deliveredTo(list(name, ...entries), grants);

  test("has what the caller could use, by its key and by nothing else", () => {
    expect(to(entry("x:/a", { x: [1] }), entry("x:/c"))).toBe(AS_IT_CAME);
    const other = key === "name" ? "uri" : "name";
    expect(to(entry("x:/a"), entry("x:/b", { [other]: "x:/a" }), { [other]: "x:/a" })).toBe(list(name, entry("x:/a")));
  });

  test("shows a name once: the entry that came first", () => {
    expect(to(entry("x:/a", { n: 1 }), entry("x:/c"), entry("x:/a", { n: 2 }), entry("x:/c"))).toBe(
      list(name, entry("x:/a", { n: 1 }), entry("x:/c")),
    );
  });

  test("shows a name once, however it is written", () => {
    const text = list(name, entry("x:/a"), entry("x:/A")).replace("x:/A", "x:\\/\\u0061");
    expect(deliveredTo(text, grants)).toBe(list(name, entry("x:/a")));
  });

  test("does not show an entry with a second name in another case", () => {
    expect(to({ [key]: "x:/a", [key.toUpperCase()]: "x:/b" }, { [key.toUpperCase()]: "x:/a" }, entry("x:/c"))).toBe(
      list(name, entry("x:/c")),
    );
  });

  test("does not show what no call could name, to nobody", () => {
    const odd = [entry(""), entry("x:/a\n"), entry(1), entry(null), entry(["x:/a"]), {}, "x:/a", null];
    expect(deliveredTo(list(name, ...odd, entry("x:/b")), [], SEES_ALL)).toBe(list(name, entry("x:/b")));
  });
});

describe("a list of resources", () => {
  test("is judged by templates as templates and by URIs as URIs, both odd or not", () => {
    const seen: string[] = [];
    const text = result({
      resources: [{ uri: "x:/{a}" }, { uri: "x:/a" }],
      resourceTemplates: [{ uriTemplate: "x:/{a}" }, { uriTemplate: "x:/a/../{b}" }],
    });
    deliveredTo(text, [], {
      isVisible: ({ kind, name, odd }) => seen.push(`${kind} ${name} ${odd ?? "normal"}`) === 0,
    });
    expect(seen).toEqual([
      "resource x:/{a} holds a character that must be percent-encoded",
      "resource x:/a normal",
      "template x:/{a} normal",
      "template x:/a/../{b} has dot segments",
    ]);
  });

  test("keeps a skill as a whole, with the files it is made of", () => {
    const skill = { uri: "skill://a/SKILL.md", resources: [{ uri: "skill://a/b.md", digest: "d" }] };
    const text = list("skills", skill, { ...skill, uri: "skill://b/SKILL.md" });
    expect(deliveredTo(text, ["resource skill://a/SKILL.md"])).toBe(list("skills", skill));
  });
});

describe("a list of tasks", () => {
  const tasks = list("tasks", { taskId: "t", status: "working" }, { taskId: "u" });

  test("comes to who may list them, and to nobody else", () => {
    expect(deliveredTo(tasks, ["method tasks/list"], { method: "tasks/list" })).toBe(AS_IT_CAME);
    expect(deliveredTo(tasks, ["method tasks/get"], { method: "tasks/list" })).toBe(list("tasks"));
  });

  test("shows an id once, and none that no call could name", () => {
    const odd = list("tasks", { taskId: "t" }, { taskId: "t", x: 1 }, { taskId: "" }, { taskId: 1 }, { TaskId: "u" });
    expect(deliveredTo(odd, ["method tasks/list"])).toBe(list("tasks", { taskId: "t" }));
    expect(deliveredTo(list("tasks", { taskId: "t".repeat(256) }), ["method tasks/list"])).toBe(AS_IT_CAME);
    expect(deliveredTo(list("tasks", { taskId: "t".repeat(257) }), ["method tasks/list"])).toBe(list("tasks"));
  });
});

describe("the user interface of a tool", () => {
  const GRANTS = ["tool a", "resource ui://a"];
  const tool = (meta: unknown) => ({ name: "a", _meta: meta, inputSchema: {} });
  const to = (meta: unknown, granted: readonly string[] = GRANTS): string =>
    deliveredTo(list("tools", tool(meta)), granted);
  const left = (meta: unknown): string => list("tools", tool(meta));

  test("stays when the caller may read it, in both forms", () => {
    expect(to({ ui: { resourceUri: "ui://a", visibility: ["model"] }, "ui/resourceUri": "ui://a" })).toBe(AS_IT_CAME);
  });

  test("goes when the caller may not, and nothing else of the tool", () => {
    expect(to({ ui: { resourceUri: "ui://b", visibility: ["model"] }, x: 1 })).toBe(
      left({ ui: { visibility: ["model"] }, x: 1 }),
    );
    expect(to({ x: 1, "ui/resourceUri": "ui://b", y: 2 })).toBe(left({ x: 1, y: 2 }));
    expect(to({ ui: { resourceUri: "ui://b" }, "ui/resourceUri": "ui://b" })).toBe(left({ ui: {} }));
    expect(to({ ui: { resourceUri: "ui://a" }, "ui/resourceUri": "ui://b" })).toBe(
      left({ ui: { resourceUri: "ui://a" } }),
    );
  });

  test.each([1, null, ["ui://a"], "", "UI://a", "ui://a/.."])("goes when nobody can judge it: %j", (resourceUri) => {
    expect(to({ ui: { resourceUri } })).toBe(left({ ui: {} }));
  });

  test.each([null, 1, "ui", [], {}, { ui: null }, { ui: "ui://b" }, { ui: ["ui://b"] }, { ui: {} }])(
    "is not there in %j",
    (meta) => {
      expect(to(meta)).toBe(AS_IT_CAME);
    },
  );

  test("goes with the tool, when the tool goes", () => {
    const text = list("tools", tool({ ui: { resourceUri: "ui://b" } }), { name: "b" });
    expect(deliveredTo(text, ["tool b"])).toBe(list("tools", { name: "b" }));
  });

  test("goes where a second key in another case stands beside it", () => {
    expect(to({ ui: { resourceUri: "ui://a", ResourceUri: "ui://b" } })).not.toMatch(/^as it came$|"resourceUri"/);
  });

  // What a reader who ignores case takes for the same key is what the other filters refuse or take out.
  test.each([{ ui: { ResourceUri: "ui://b" } }, { UI: { resourceUri: "ui://b" } }, { "UI/resourceUri": "ui://b" }])(
    "goes in another case: %j",
    (meta) => {
      expect(to(meta)).not.toBe(AS_IT_CAME);
    },
  );
});

describe("a pinned tool", () => {
  const TOOL = { name: "a", description: "d", inputSchema: { type: "object" } };
  const shown = (entry: object, isPinned: (tool: string, definition: () => Uint8Array) => boolean) =>
    deliver(utf8(list("tools", entry, { name: "b" })), askedWith(["tool a", "tool b"], { isPinned }));

  test("is shown while it is what policy has pinned, else it is told which one has changed", () => {
    expect(shown(TOOL, () => true)).toMatchObject({ changedTools: [], hiddenItems: 0 });
    const changed = shown(TOOL, (tool) => tool !== "a");
    expect(changed).toMatchObject({ changedTools: ["a"], hiddenItems: 1, listed: [{ names: ["a", "b"] }] });
    expect(textOf(changed.bytes ?? utf8(""))).toBe(list("tools", { name: "b" }));
  });

  test("is known by name, descriptions and schemas in canonical form, in one order", () => {
    const definitions: string[] = [];
    const note = (_: string, definition: () => Uint8Array): boolean => definitions.push(textOf(definition())) > 0;
    shown({ _meta: { x: 1 }, annotations: { a: 1 }, inputSchema: {}, icons: [], name: "a", title: "t" }, note);
    expect(definitions[0]).toBe('{"name":"a","title":"t","inputSchema":{},"annotations":{"a":1}}');
  });

  test.each(["Description", "inputschema", "TITLE", "Annotations"])(
    "is another one with the key %s, which a reader who ignores case takes for what is pinned",
    (key) => {
      const definitions = new Set<string>();
      const note = (_: string, definition: () => Uint8Array): boolean => definitions.add(textOf(definition())).size > 0;
      for (const entry of [TOOL, { ...TOOL, [key]: "other" }, { ...TOOL, other: "other" }])
        deliver(utf8(list("tools", entry)), askedWith(["tool a"], { isPinned: note }));
      expect(definitions.size).toBe(2);
    },
  );

  test("is not asked about when the caller may not use it, nor a second time", () => {
    const asked: string[] = [];
    const note = (tool: string): boolean => asked.push(tool) > 0;
    deliver(
      utf8(list("tools", { name: "c" }, { name: "a" }, { name: "a" })),
      askedWith(["tool a"], { isPinned: note }),
    );
    expect(asked).toEqual(["a"]);
  });
});

describe("what is told of lists", () => {
  const listed = (value: object) => deliver(utf8(result(value)), askedWith(["tool a"])).listed;

  test("are the names of tools and prompts, each once, and no other names", () => {
    expect(listed({ tools: [{ name: "a" }, { name: "a" }, { name: "b" }] })).toEqual([
      { kind: "tool", names: ["a", "b"] },
    ]);
    expect(listed({ tools: [] })).toEqual([{ kind: "tool", names: [] }]);
    expect(listed({ skills: [{ uri: "x:/a" }], resourceTemplates: [], tasks: [{ taskId: "t" }] })).toEqual([]);
  });
});
