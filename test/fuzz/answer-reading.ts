/** What a client makes of a server's message: all in it that only some callers may see. */
import { isObject, objectsIn } from "./client-view.ts";
import type { Value } from "./client-view.ts";

/** One reader's view; `error` when it could not read the bytes at all. */
export type AnswerReading =
  | { readonly error: string }
  | {
      /** The method of a request to the client, and of a notification. */
      readonly asks: string | null;
      readonly tells: string | null;
      readonly type: string | null;
      readonly task: string | null;
      /** The methods of `inputRequests`. */
      readonly inputs: readonly (string | null)[];
      readonly lists: Readonly<Record<keyof typeof LISTS, readonly string[]>>;
      /** Resources that it links to, holds or is about. */
      readonly uris: readonly string[];
    };

/** Where the entries of each list have their names, and what they name. */
export const LISTS = {
  tools: { key: "name", kind: "tool" },
  prompts: { key: "name", kind: "prompt" },
  resources: { key: "uri", kind: "resource" },
  resourceTemplates: { key: "uriTemplate", kind: "template" },
} as const;

/** The reader that is always there: JSON.parse has read it. */
export function readAnswer(message: unknown): AnswerReading {
  if (!isObject(message)) return { error: "no object" };
  const result = isObject(message["result"]) ? message["result"] : {};
  const { task, inputRequests } = result;
  const method = textIn(message["method"]);
  const isRequest = "id" in message;
  return {
    asks: isRequest ? method : null,
    tells: isRequest ? null : method,
    type: textIn(result["resultType"]),
    task: isObject(task) ? textIn(task["taskId"]) : null,
    inputs: isObject(inputRequests)
      ? Object.values(inputRequests).map((one) => (isObject(one) ? textIn(one["method"]) : null))
      : [],
    lists: {
      tools: namesIn(result, "tools"),
      prompts: namesIn(result, "prompts"),
      resources: namesIn(result, "resources"),
      resourceTemplates: namesIn(result, "resourceTemplates"),
    },
    uris: urisIn(message, result).filter((uri) => typeof uri === "string"),
  };
}

const textIn = (value: unknown): string | null => (typeof value === "string" ? value : null);

const namesIn = (result: Value, list: keyof typeof LISTS): string[] =>
  objectsIn(result[list])
    .map((entry) => entry[LISTS[list].key])
    .filter((name) => typeof name === "string");

function urisIn(message: Value, { content, messages, contents }: Value): readonly unknown[] {
  const inMessages = objectsIn(messages).flatMap((one) => [one["content"]].flat());
  const blocks = [...objectsIn(content), ...objectsIn(inMessages)];
  const { method, params } = message;
  return [
    ...blocks.filter(({ type }) => type === "resource_link").map(({ uri }) => uri),
    ...blocks.flatMap(({ resource }) => (isObject(resource) ? [resource["uri"]] : [])),
    ...objectsIn(contents).map(({ uri }) => uri),
    ...(method === "notifications/resources/updated" && isObject(params) ? [params["uri"]] : []),
  ];
}
