/** What servers answer with: lists, the results of calls, reads and prompts, tasks, questions back. */
import * as fc from "fast-check";
import { mayAnswer, mayUse } from "../world.ts";
import type { CallerName } from "../world.ts";
import { arrayText, bracesAround, memberText, turned } from "./json.ts";
import { promptNames, templates, toolNames, uris } from "./names.ts";
import { joined, objectPart, part, secretContent, secretName, secretRequest } from "./part.ts";
import type { Part } from "./part.ts";

const text = (value: string): string => JSON.stringify(value);
/** Plain, or with each character escaped. */
const written = (value: string, isEscaped: boolean): string =>
  isEscaped
    ? `"${value.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`
    : text(value);

const manner = fc.record({
  turn: fc.nat(3),
  isEscaped: fc.boolean(),
  more: fc.constantFrom("", '"n":1.50', '"_meta":{"a":[]}', '"_meta":{"ui":{"resourceUri":"file:///ui"},"n":1.0}'),
});

function entries(kind: "tool" | "prompt" | "resource" | "template", names: fc.Arbitrary<string>): fc.Arbitrary<Part> {
  const key = { tool: "name", prompt: "name", resource: "uri", template: "uriTemplate" }[kind];
  const entry = fc.tuple(names, manner).map(([name, { turn, isEscaped, more }]) => {
    const secret = secretName(kind, name);
    const members = [memberText(key, written(name, isEscaped)), memberText("description", text(secret.mark))];
    return part(bracesAround(turned([...members, ...(more === "" ? [] : [more])], turn)), [secret]);
  });
  const odd = fc
    .constantFrom("{}", "null", '"echo"', "[]", `{"${key}":1}`, `{"${key.toUpperCase()}":"get-env"}`)
    .map((value) => part(value));
  const one = fc.oneof({ weight: 12, arbitrary: entry }, { weight: 1, arbitrary: odd });
  return fc.array(one, { maxLength: 5 }).map((all) => joined(all, arrayText));
}

const lists = fc
  .record(
    {
      tools: entries("tool", toolNames),
      prompts: entries("prompt", promptNames),
      resources: entries("resource", uris),
      resourceTemplates: entries("template", templates),
      nextCursor: fc.constant('"c"'),
      cacheScope: fc.constantFrom('"public"', '"private"'),
      resultType: fc.constant('"complete"'),
    },
    { requiredKeys: [] },
  )
  .map(objectPart);

const content = fc.oneof(
  fc
    .constantFrom(
      '{"type":"text","text":"free text: get-env"}',
      '{"type":"image","data":"AA==","mimeType":"image/png"}',
    )
    .map((value) => part(value)),
  uris.map((uri) => {
    const secret = secretContent(uri);
    return objectPart({ type: '"resource_link"', uri: text(uri), name: part(text(secret.mark), [secret]) });
  }),
  uris.map((uri) => objectPart({ type: '"resource"', resource: held(uri) })),
);
const held = (uri: string): Part => {
  const secret = secretContent(uri);
  return objectPart({ uri: text(uri), text: part(text(secret.mark), [secret]) });
};
const ofContent = fc.array(content, { maxLength: 3 });

export const clientMethods = fc.constantFrom(
  "sampling/createMessage",
  "elicitation/create",
  "roots/list",
  "ping",
  "tasks/get",
  "other/method",
);
const questions = fc.tuple(clientMethods, fc.boolean()).map(([method, isAsking]) => {
  const secret = secretRequest(isAsking ? "a question" : "question in a complete result", method);
  const request = objectPart({
    method: text(method),
    params: objectPart({ a: part(text(secret.mark), [secret]) }),
  });
  return objectPart({
    resultType: isAsking ? '"input_required"' : undefined,
    inputRequests: objectPart({ k: request }),
    requestState: '"s"',
  });
});

const mayFollow = (caller: CallerName): boolean => mayUse(caller, "method", "tasks/get");
const withheld = fc.constantFrom(
  part('{"resultType":"input_required","requestState":"<bare>"}', [
    { kind: "a state", mark: "<bare>", isFor: mayAnswer },
  ]),
  part('{"task":{"taskId":"<task>"}}', [{ kind: "a task", mark: "<task>", isFor: mayFollow }]),
  part('{"resultType":"task","taskId":"<task>"}', [{ kind: "a task", mark: "<task>", isFor: mayFollow }]),
  part('{"resultType":"other","a":"<other>"}', [
    { kind: "a result of another type", mark: "<other>", isFor: () => false },
  ]),
);
const begun = [
  ["logging", "logging/setLevel"],
  ["completions", "completion/complete"],
].map(([capability = "", method = ""]) => {
  const secret = secretRequest("a capability", method);
  const can = objectPart({ a: part(text(secret.mark), [secret]) });
  return objectPart({ protocolVersion: '"2025-06-18"', capabilities: objectPart({ tools: "{}", [capability]: can }) });
});
const plain = fc
  .constantFrom(
    "{}",
    '{"resultType":"complete"}',
    '{"completion":{"values":["a"]}}',
    '{"tools":{}}',
    '{"Tools":[{"name":"get-env"}]}',
    '{"tool\u017f":[{"name":"get-env"}]}',
    '{"RE\u017fources":[{"uri":"file:///etc/passwd"}]}',
    '{"tools":[{"name":"echo","\u004eame":"get-env"}]}',
    '{"ta\u017f\u212a":{"taskId":"t"}}',
  )
  .map((value) => part(value));

export const results: fc.Arbitrary<Part> = fc.oneof(
  { weight: 5, arbitrary: lists },
  {
    weight: 2,
    arbitrary: fc
      .tuple(ofContent, fc.constantFrom("true", "false", undefined))
      .map(([all, isError]) =>
        objectPart({ content: joined(all, arrayText), isError, structuredContent: '{"a":1.0}' }),
      ),
  },
  {
    weight: 1,
    arbitrary: ofContent.map((all) => {
      const messages = all.map((one) => objectPart({ role: '"user"', content: one }));
      return objectPart({ messages: joined(messages, arrayText) });
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(uris.map(held), { maxLength: 3 })
      .map((all) => objectPart({ contents: joined(all, arrayText) })),
  },
  { weight: 1, arbitrary: fc.oneof(content, uris.map(held)).map((one) => objectPart({ content: one, contents: one })) },
  { weight: 2, arbitrary: questions },
  { weight: 1, arbitrary: withheld },
  { weight: 1, arbitrary: fc.constantFrom(...begun) },
  { weight: 2, arbitrary: plain },
);
