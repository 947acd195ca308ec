/** What differs under the narrow policy, and nothing else may: each difference is written out here. */
import type { ClientPeer, ServerPeer } from "./peers.ts";
import { serverName } from "./policies.ts";
import type { Outcome } from "./scenario.ts";

type Difference = {
  /** For the page. */
  readonly words: string;
  readonly expected: (direct: Outcome, client: ClientPeer, server: ServerPeer) => Outcome;
};

const CALLER = "anonymous (no-certificate, jwt-missing)";

const sentence = (thing: string, server: ServerPeer): string =>
  `Blocked by policy: no rule lets ${CALLER} use ${thing} on server ${serverName("narrow", server)} (rule default-deny).`;

const without = (member: string, ...gone: readonly string[]): Difference => ({
  words: `the list lacks ${gone.map((name) => `\`${name}\``).join(", ")}`,
  expected: (direct) => {
    if (!("ok" in direct)) return direct;
    const entries = direct.ok as readonly Readonly<Record<string, unknown>>[];
    return { ok: entries.filter((entry) => !gone.includes(String(entry[member]))) };
  },
});

const deniedTool = (name: string): Difference => ({
  words: "a result with `isError` that names the rule",
  expected: (_, { looksFirst }, server) => {
    if (looksFirst === true) return { error: { message: `Tool '${name}' not found on server.` } };
    const content = [{ type: "text", text: sentence(`tool ${name}`, server) }];
    return { ok: { result: { content, isError: true }, heard: [] } };
  },
});

const rpcError = ({ hidesCodes }: ClientPeer, message: string): Outcome => ({
  error: { ...(hidesCodes === true ? {} : { code: -31_403 }), message },
});

const denied = (thing: string): Difference => ({
  words: "the JSON-RPC error -31403 that names the rule",
  expected: (_, client, server) => rpcError(client, sentence(thing, server)),
});

const deniedMethod = (method: string): Difference => ({
  words: "the JSON-RPC error -31403 that names the rule",
  expected: (_, client, server) => {
    const name = serverName("narrow", server);
    const rule = `rule no-levels of policy ${name}`;
    return rpcError(client, `Blocked by policy: ${rule} denies ${CALLER} the use of ${method} on server ${name}.`);
  },
});

/** Who may not set the level is not told that the server logs, and gets no line of it. */
const withoutCapability = (name: string): Difference => ({
  words: `the server has no capability \`${name}\``,
  expected: (direct) => {
    const { capabilities, ...told } = (direct as { readonly ok: Readonly<Record<string, object>> }).ok;
    const left = Object.entries(capabilities ?? {}).filter(([capability]) => capability !== name);
    return { ok: { ...told, capabilities: Object.fromEntries(left) } };
  },
});

const nothingHeard: Difference = {
  words: "the result, and none of the messages",
  expected: (direct) => ({ ok: { ...(direct as { readonly ok: object }).ok, heard: [] } }),
};

/** By the name of the scenario. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  connect: withoutCapability("logging"),
  "list tools": without("name", "linked", "fails", "refuses", "sample"),
  "list prompts": without("name", "farewell"),
  "list resources": without("uri", "note:///binary"),
  "list resource templates": without("uriTemplate", "secret:///{room}"),
  "tool: embedded resource and link": deniedTool("linked"),
  "tool: isError": deniedTool("fails"),
  "tool: JSON-RPC error": deniedTool("refuses"),
  "tool: unknown": deniedTool("no-such-tool"),
  "tool: sampling": deniedTool("sample"),
  "log level": deniedMethod("logging/setLevel"),
  "tool: log messages": nothingHeard,
  "prompt with a resource": denied("prompt farewell"),
  "resource: binary": denied("resource note:///binary"),
  "resource: unknown": denied("resource note:///nowhere"),
};

/** The outcome under the narrow policy of what has this outcome without it. */
export function narrowed(scenario: string, direct: Outcome, client: ClientPeer, server: ServerPeer): Outcome {
  if ("unsupported" in direct) return direct;
  return DIFFERENCES[scenario]?.expected(direct, client, server) ?? direct;
}
