/**
 * The method table: what each method of MCP names, which revisions have it, and what its answer may list
 * (specification, "schema" of each revision). A method that is not here is refused.
 */
import type { Era } from "./revision.ts";

/** Where a method's params hold the thing it names. */
export type NamedBy = "tool" | "prompt" | "resource" | "reference";

/** The result member that holds a list, by list method. */
export type ListMember = "tools" | "prompts" | "resources" | "resourceTemplates";

/**
 * `base`: comes with any Allow rule on the server. `named`: granted by the name alone. `method`: needs `methods: [...]`,
 * and the name's own grant where it names something.
 */
export type Grant = "base" | "named" | "method";

export type Method = {
  readonly era: Era | "both";
  readonly grant: Grant;
  readonly names?: NamedBy;
  readonly lists?: ListMember;
  readonly kind: "request" | "notification";
};

const request = (era: Era | "both", grant: Grant, more: Pick<Method, "names" | "lists"> = {}) =>
  ({ kind: "request", era, grant, ...more }) as const satisfies Method;
const notification = (era: Era | "both") => ({ kind: "notification", era, grant: "base" }) as const satisfies Method;

export const METHODS = {
  initialize: request("legacy", "base"),
  ping: request("legacy", "base"),
  "server/discover": request("modern", "base"),
  "tools/list": request("both", "base", { lists: "tools" }),
  "tools/call": request("both", "named", { names: "tool" }),
  "prompts/list": request("both", "base", { lists: "prompts" }),
  "prompts/get": request("both", "named", { names: "prompt" }),
  "resources/list": request("both", "base", { lists: "resources" }),
  "resources/templates/list": request("both", "base", { lists: "resourceTemplates" }),
  "resources/read": request("both", "named", { names: "resource" }),
  "completion/complete": request("both", "method", { names: "reference" }),
  "logging/setLevel": request("legacy", "method"),
  "notifications/initialized": notification("legacy"),
  "notifications/cancelled": notification("both"),
  "notifications/progress": notification("legacy"),
  "notifications/roots/list_changed": notification("legacy"),
} as const satisfies Record<string, Method>;

export type KnownMethod = keyof typeof METHODS;

/**
 * Requests that a server may send to its client (legacy eras). A client that answers one needs a grant for at least one
 * of them: its answer names no method.
 */
export const SERVER_REQUESTS = ["sampling/createMessage", "elicitation/create", "roots/list"] as const;

const BY_NAME: ReadonlyMap<string, Method> = new Map(Object.entries(METHODS));

export const findMethod = (name: string): Method | undefined => BY_NAME.get(name);
export const isKnownMethod = (name: string): name is KnownMethod => BY_NAME.has(name);

/** What may stand in `methods:` of a policy. */
export const GRANTABLE_METHODS: readonly string[] = [...Object.keys(METHODS), ...SERVER_REQUESTS];

/** Bounded by construction: what may become the label `mcp_method_name`. */
export type MethodLabel = KnownMethod | "GET" | "DELETE" | "answer" | "unknown";
