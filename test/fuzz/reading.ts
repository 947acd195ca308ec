/**
 * What a server makes of a message: which call it is and what it names, where the specification puts it. Readers answer
 * with all that may matter, and `callIn` keeps what does for the method, so that two readers can be held to one another.
 */

type Found = {
  readonly method: string | null;
  /** With its type: 1, 1.0 and "1" are three ids. */
  readonly id: readonly [type: "text" | "integer" | "other", value: string] | null;
  readonly name: string | null;
  readonly uri: string | null;
  readonly taskId: string | null;
  readonly ref: readonly [type: string | null, name: string | null, uri: string | null] | null;
  /** Resources that are subscribed to, and whether tasks are. */
  readonly listens: readonly string[];
  readonly followsTasks: boolean;
  /** The result is to be a task. */
  readonly asksTask: boolean;
  /** The params answer what the server has asked for. */
  readonly answers: boolean;
  /** A result or an error is there. */
  readonly isAnswer: boolean;
  /** The result has no members: a pong. */
  readonly isEmpty: boolean;
};

/** One reader's view: `error` when it could not read the bytes at all, a list of what is in a batch. */
export type Reading = Found | { readonly error: string };
export type Readings = Reading | readonly Reading[];

export type Call = {
  readonly method: string;
  readonly id: string | null;
  readonly target: { readonly kind: "tool" | "prompt" | "resource" | "template"; readonly name: string } | null;
  readonly taskId: string | null;
  readonly listens: readonly string[];
  readonly followsTasks: boolean;
  readonly asksTask: boolean;
  readonly answers: boolean;
};

/** The calls of a document; why there are none, in words. `isBatch`: they came in an array. */
export function callsIn(readings: Readings): { readonly isBatch: boolean; readonly calls: readonly (Call | string)[] } {
  const isBatch = Array.isArray(readings);
  return { isBatch, calls: (isBatch ? (readings as readonly Reading[]) : [readings as Reading]).map(callIn) };
}

/** An answer of the client is a call of the method `answer`, or of `pong` when it says nothing. */
function callIn(reading: Reading): Call | string {
  if ("error" in reading) return `cannot be read: ${reading.error}`;
  const id = reading.id === null ? null : reading.id.join(" ");
  const { method } = reading;
  const call = { id, target: null, taskId: null, listens: [], followsTasks: false, asksTask: false, answers: false };
  if (reading.isAnswer)
    return method === null ? { ...call, method: reading.isEmpty ? "pong" : "answer" } : "is a call and an answer";
  if (method === null) return "has no method";
  switch (method) {
    case "tools/call":
    case "prompts/get":
    case "resources/read":
    case "resources/subscribe":
    case "resources/unsubscribe":
    case "resources/directory/read":
    case "skills/get":
    case "completion/complete": {
      const target = targetOf(method, reading);
      const asksTask = method === "tools/call" && reading.asksTask;
      return typeof target === "string" ? target : { ...call, method, target, asksTask, answers: reading.answers };
    }
    case "tasks/get":
    case "tasks/result":
    case "tasks/cancel":
    case "tasks/update": {
      const { taskId, answers } = reading;
      return taskId === null ? "names no task" : { ...call, method, taskId, answers };
    }
    case "subscriptions/listen":
      return { ...call, method, listens: reading.listens, followsTasks: reading.followsTasks };
    default:
      return { ...call, method };
  }
}

function targetOf(method: string, { name, uri, ref }: Found): NonNullable<Call["target"]> | string {
  if (method === "tools/call") return name === null ? "names no tool" : { kind: "tool", name };
  if (method === "prompts/get") return name === null ? "names no prompt" : { kind: "prompt", name };
  if (method !== "completion/complete") return uri === null ? "names no resource" : { kind: "resource", name: uri };
  const [type, prompt, resource] = ref ?? [null, null, null];
  if (type === "ref/prompt" && prompt !== null) return { kind: "prompt", name: prompt };
  if (type !== "ref/resource" || resource === null) return "refers to nothing";
  return { kind: resource.includes("{") ? "template" : "resource", name: resource };
}

/** The reader that is always there. */
export function readWithJson(body: Uint8Array): Readings {
  try {
    const document = JSON.parse(Buffer.from(body).toString()) as unknown;
    return Array.isArray(document) ? document.map(read) : read(document);
  } catch (error: unknown) {
    return { error: String(error) };
  }
}

type Value = { readonly [key: string]: unknown };

function read(document: unknown): Reading {
  if (!isObject(document)) return { error: "not an object" };
  const params = isObject(document["params"]) ? document["params"] : {};
  const ref = params["ref"];
  const filter = isObject(params["notifications"]) ? params["notifications"] : {};
  const result = document["result"];
  return {
    method: textIn(document["method"]),
    id: "id" in document ? identifier(document["id"]) : null,
    name: textIn(params["name"]),
    uri: textIn(params["uri"]),
    taskId: textIn(params["taskId"]),
    ref: isObject(ref) ? [textIn(ref["type"]), textIn(ref["name"]), textIn(ref["uri"])] : null,
    listens: listIn(filter["resourceSubscriptions"]).filter((one) => typeof one === "string"),
    followsTasks: listIn(filter["taskIds"]).length > 0,
    asksTask: "task" in params,
    answers: "inputResponses" in params || "requestState" in params,
    isAnswer: "result" in document || "error" in document,
    isEmpty: isObject(result) && Object.keys(result).length === 0,
  };
}

const isObject = (value: unknown): value is Value =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textIn = (value: unknown): string | null => (typeof value === "string" ? value : null);
const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function identifier(id: unknown): readonly ["text" | "integer" | "other", string] {
  if (typeof id === "string") return ["text", id];
  return Number.isInteger(id) ? ["integer", String(id)] : ["other", ""];
}
