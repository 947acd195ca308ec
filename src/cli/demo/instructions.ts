/** What to do while the demo is up: commands that work when they are pasted into another terminal. */
import { formatAddress } from "../../config/address.ts";
import type { Callers } from "./callers.ts";
import { shortPath } from "./options.ts";
import type { DemoOptions } from "./options.ts";
import { bold, column, heading, say } from "./screen.ts";

export type Surroundings = {
  readonly gateway: URL;
  readonly tokens: Callers["tokens"];
  /** A session that is open on the server; undefined with a server that keeps none. */
  readonly sessionId: string | undefined;
  readonly options: DemoOptions;
};

/** Prints the tokens as shell variables, and a `curl` for an allowed and for a denied call. */
export function printInstructions({ gateway, tokens, sessionId, options }: Surroundings): void {
  const ownServer = options.upstream !== undefined;
  heading("Your turn: paste these into another terminal");
  say("the tokens of the two callers, valid for a day", "");
  const session = sessionId === undefined ? [] : [`session=${sessionId}`];
  paste(`reader=${tokens.reader}`, `admin=${tokens.admin}`, ...session);
  say("", "a call that is allowed", "");
  paste(...curl(gateway, sessionId, ownServer ? LIST : toolCall("echo", { message: "hello" })));
  say("", "a call that is refused", "");
  paste(...curl(gateway, sessionId, toolCall("get-env", {})));
  say();
  row("Connect", `any MCP client to ${gateway.href}`);
  row("", "with the header Authorization: Bearer, and one of the tokens");
  row("Edit", `${shortPath(options.policies)}/*.yaml: a change counts at once`);
  if (ownServer) row("", "put the names of your own tools there");
  const admin = `http://${formatAddress(options.adminListen)}`;
  row("Metrics", `${admin}/metrics`);
  row("Envoy", `http://127.0.0.1:${options.envoyAdminPort}`);
  row("End", "Ctrl-C");
  if (options.load) {
    heading("Agents are at work: reader, admin, analyst, one that speaks 2026-07-28, and a stranger");
    row("Look", `${admin}/`);
  } else {
    row("Look", `${admin}/`);
    heading("Decisions, as they are made");
  }
}

const row = (name: string, text: string): void => say(column(bold(name), 12) + text);

const paste = (...lines: readonly string[]): void => say(...lines.map((line) => `  ${line}`));

type Call = { readonly method: string; readonly params: object };

const LIST: Call = { method: "tools/list", params: {} };
const toolCall = (name: string, args: object): Call => ({ method: "tools/call", params: { name, arguments: args } });

/** Short enough for 100 columns: each header on its own, and the values in variables. */
function curl(gateway: URL, sessionId: string | undefined, { method, params }: Call): readonly string[] {
  return [
    `curl -sw "\\n" ${gateway.href} -H "Authorization: Bearer $reader" \\`,
    ...(sessionId === undefined ? [] : [`  -H "Mcp-Session-Id: $session" \\`]),
    `  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\`,
    `  -d '{"jsonrpc":"2.0","id":1,"method":"${method}",`,
    `       "params":${JSON.stringify(params)}}'`,
  ];
}
