/**
 * The method table: what each method of MCP names, which eras have it, what its answer may be, and what a server may send
 * to a client on its own (specification, "schema" of each revision; extensions tasks and skills). What is not here is
 * refused on the way to a server, and not delivered on the way back.
 */
import type { Era } from "./revision.ts";

/** What a method's params name, and so where: `name`, `uri`, `ref`, `taskId`, `notifications`. */
export type NamedBy = "tool" | "prompt" | "resource" | "reference" | "task" | "subscriptions";

/**
 * `base`: comes with any Allow rule on the server. `named`: granted by the name alone. `method`: needs `methods: [...]`,
 * and the name's own grant where it names something.
 */
export type Grant = "base" | "named" | "method";

export type Method = {
  readonly era: Era | "both";
  readonly kind: "request" | "notification";
  readonly grant: Grant;
  readonly names?: NamedBy;
  /** All that its params may have beside `_meta`: another one could name something else to another reader. */
  readonly params?: readonly string[];
  /**
   * The header `Mcp-Name` has to repeat what it names (2026-07-28, "Standard Headers"). Of tasks it may: there are clients
   * that leave it out, and what is not there misleads nobody.
   */
  readonly hasNameHeader?: true;
  /** Its answer may ask the client for input, and it may bring that input (2026-07-28, "Multi Round-Trip Requests"). */
  readonly mayAsk?: true;
  /** Its answer may be a task instead. */
  readonly mayBeTask?: true;
  /** Its answer lists what there is: it is read and filtered also where answers go by us. */
  readonly isListing?: true;
};

type More = Omit<Method, "era" | "kind" | "grant">;
const request = (era: Era | "both", grant: Grant, more: More = {}) =>
  ({ kind: "request", era, grant, ...more }) as const satisfies Method;
const notification = (era: Era | "both", grant: Grant = "base") =>
  ({ kind: "notification", era, grant }) as const satisfies Method;

/** The TypeScript SDK v1 repeats `task` of the call, which means nothing here. */
const TASK_PARAMS = ["taskId", "task"] as const;
const LISTING = { isListing: true } as const;
const ROUND_TRIP = ["inputResponses", "requestState"] as const;

export const METHODS = {
  initialize: request("legacy", "base", LISTING),
  ping: request("legacy", "base"),
  "server/discover": request("modern", "base", LISTING),
  "tools/list": request("both", "base", LISTING),
  "tools/call": request("both", "named", {
    names: "tool",
    params: ["name", "arguments", "task", ...ROUND_TRIP],
    hasNameHeader: true,
    mayAsk: true,
    mayBeTask: true,
  }),
  "prompts/list": request("both", "base", LISTING),
  "prompts/get": request("both", "named", {
    names: "prompt",
    params: ["name", "arguments", ...ROUND_TRIP],
    hasNameHeader: true,
    mayAsk: true,
  }),
  "resources/list": request("both", "base", LISTING),
  "resources/templates/list": request("both", "base", LISTING),
  "resources/read": request("both", "named", {
    names: "resource",
    params: ["uri", ...ROUND_TRIP],
    hasNameHeader: true,
    mayAsk: true,
  }),
  "resources/subscribe": request("legacy", "method", { names: "resource", params: ["uri"] }),
  "resources/unsubscribe": request("legacy", "method", { names: "resource", params: ["uri"] }),
  "subscriptions/listen": request("modern", "method", { names: "subscriptions", params: ["notifications"] }),
  "completion/complete": request("both", "method", { names: "reference", params: ["ref", "argument", "context"] }),
  "logging/setLevel": request("legacy", "method"),
  "tasks/get": request("both", "method", { names: "task", params: TASK_PARAMS }),
  "tasks/result": request("legacy", "method", { names: "task", params: TASK_PARAMS }),
  "tasks/list": request("legacy", "method", LISTING),
  "tasks/update": request("modern", "method", { names: "task", params: ["taskId", "inputResponses"] }),
  "tasks/cancel": request("both", "method", { names: "task", params: TASK_PARAMS }),
  "skills/list": request("both", "method", LISTING),
  "skills/get": request("both", "method", { names: "resource", params: ["uri"] }),
  "resources/directory/read": request("both", "method", {
    names: "resource",
    params: ["uri", "cursor"],
    ...LISTING,
  }),
  "notifications/initialized": notification("legacy"),
  "notifications/cancelled": notification("both"),
  "notifications/progress": notification("legacy"),
  "notifications/roots/list_changed": notification("legacy"),
  "notifications/tasks/status": notification("legacy", "method"),
} as const satisfies Record<string, Method>;

export type KnownMethod = keyof typeof METHODS;

/** What a server may ask of its client, on a stream (legacy) or inside a result (modern). Needs the grant of that name. */
export const SERVER_REQUESTS = ["sampling/createMessage", "elicitation/create", "roots/list"] as const;
/** The same of tasks that the client owns (2025-11-25). */
export const CLIENT_TASK_REQUESTS = ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] as const;

type Grantable = KnownMethod | (typeof SERVER_REQUESTS)[number];

/** What a server may tell its client. */
export type ServerNotification = {
  /** Delivered only to whom this method is granted. */
  readonly needs?: Grantable;
  /** All that its params may have beside `_meta`. */
  readonly params: readonly string[];
};

const TASK = ["taskId", "status", "statusMessage", "createdAt", "lastUpdatedAt"] as const;

export const SERVER_NOTIFICATIONS: ReadonlyMap<string, ServerNotification> = new Map(
  Object.entries({
    "notifications/cancelled": { params: ["requestId", "reason"] },
    "notifications/progress": { params: ["progressToken", "progress", "total", "message"] },
    "notifications/message": { needs: "logging/setLevel", params: ["level", "logger", "data"] },
    "notifications/resources/updated": { params: ["uri"] },
    "notifications/resources/list_changed": { params: [] },
    "notifications/tools/list_changed": { params: [] },
    "notifications/prompts/list_changed": { params: [] },
    "notifications/elicitation/complete": { needs: "elicitation/create", params: ["elicitationId"] },
    "notifications/subscriptions/acknowledged": { params: ["notifications"] },
    "notifications/tasks/status": { needs: "tasks/get", params: [...TASK, "ttl", "pollInterval"] },
    "notifications/tasks": {
      needs: "tasks/get",
      params: [...TASK, "ttlMs", "pollIntervalMs", "result", "error", "inputRequests"],
    },
  } satisfies Record<string, ServerNotification>),
);

const BY_NAME: ReadonlyMap<string, Method> = new Map(Object.entries(METHODS));

export const findMethod = (name: string): Method | undefined => BY_NAME.get(name);
export const isKnownMethod = (name: string): name is KnownMethod => BY_NAME.has(name);

/** What may stand in `methods:` of a policy. */
export const GRANTABLE_METHODS: readonly string[] = [...Object.keys(METHODS), ...SERVER_REQUESTS];

/** Bounded by construction: what may become the label `mcp_method_name`. */
export type MethodLabel = KnownMethod | "GET" | "DELETE" | "answer" | "unknown";
