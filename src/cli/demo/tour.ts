/** The tour: what the two callers and a stranger get through Envoy. It runs here and is told in `tour-page.ts`. */
import { CALLERS } from "./callers.ts";
import type { CallerName, Callers } from "./callers.ts";
import { LIST_KINDS, Session, SessionRefused } from "./session.ts";
import type { Answer, ListKind } from "./session.ts";

/** What a caller sees of one kind; `all` is what the server has, where it could be asked past Envoy. */
export type View = {
  readonly caller: CallerName;
  readonly kind: ListKind;
  readonly seen: readonly string[];
  readonly all: readonly string[] | undefined;
};

export type Attempt = { readonly caller: CallerName; readonly call: string; readonly answer: Answer };

/** Who got no session, and what instead. */
export type TurnedAway = {
  readonly caller: CallerName | "stranger";
  readonly status: number;
  readonly sentence: string;
};

export type Tour = {
  readonly views: readonly View[];
  readonly attempts: readonly Attempt[];
  readonly turnedAway: readonly TurnedAway[];
  /** A session of `reader` that is left open on the server, if it keeps sessions. */
  readonly sessionId: string | undefined;
};

type Step = readonly [call: string, run: (session: Session) => Promise<Answer>];

const tool = (name: string, args: Record<string, unknown> = {}): Step => [
  `tools/call ${name} ${JSON.stringify(args)}`,
  async (session) => session.callTool(name, args),
];
const prompt = (name: string): Step => [`prompts/get ${name}`, async (session) => session.getPrompt(name)];
const resource = (uri: string): Step => [`resources/read ${uri}`, async (session) => session.readResource(uri)];

/** Chosen for `examples/policies` and server-everything: one of each kind of answer. */
const STEPS: Readonly<Record<CallerName, readonly Step[]>> = {
  reader: [
    tool("echo", { message: "hello" }),
    resource("demo://resource/static/document/features.md"),
    tool("get-tiny-image"),
    prompt("args-prompt"),
  ],
  admin: [tool("get-tiny-image"), tool("get-env"), tool("trigger-long-running-operation", { duration: 0.1, steps: 1 })],
};

export type TourOptions = {
  readonly gateway: URL;
  /** The MCP server past Envoy, to know what is hidden. */
  readonly server: URL;
  readonly tokens: Callers["tokens"];
  /** Whether the server is server-everything, whose tools are known. */
  readonly withCalls: boolean;
};

/** Runs all of it, one call after the other, and closes what it has opened. */
export async function runTour({ gateway, server, tokens, withCalls }: TourOptions): Promise<Tour> {
  const all = await listEverything(server);
  const views: View[] = [];
  const attempts: Attempt[] = [];
  const turnedAway: TurnedAway[] = [];
  let sessionId: string | undefined;
  for (const caller of [...CALLERS, "stranger"] as const) {
    const session = await open(gateway, caller, caller === "stranger" ? undefined : tokens[caller]);
    if (!(session instanceof Session)) {
      turnedAway.push(session);
      continue;
    }
    if (caller === "reader") sessionId = session.id;
    if (caller !== "stranger") {
      for (const [kind, seen] of await listAll(session)) views.push({ caller, kind, seen, all: all.get(kind) });
      for (const [call, run] of withCalls ? STEPS[caller] : [])
        attempts.push({ caller, call, answer: await run(session) });
    }
    await session.close();
  }
  return { views, attempts, turnedAway, sessionId };
}

async function open(url: URL, caller: TurnedAway["caller"], token?: string): Promise<Session | TurnedAway> {
  try {
    return await Session.open(url, token);
  } catch (error: unknown) {
    if (!(error instanceof SessionRefused)) throw error;
    return { caller, status: error.status, sentence: sentenceIn(error.body) };
  }
}

/** Past Envoy; a server that wants credentials of its own does not tell, and then it is not known. */
async function listEverything(server: URL): Promise<ReadonlyMap<ListKind, readonly string[]>> {
  const session = await open(server, "stranger");
  if (!(session instanceof Session)) return new Map();
  const all = await listAll(session);
  await session.close();
  return all;
}

async function listAll(session: Session): Promise<ReadonlyMap<ListKind, readonly string[]>> {
  const all = new Map<ListKind, readonly string[]>();
  for (const kind of LIST_KINDS) {
    const names = await session.list(kind);
    if (names !== undefined) all.set(kind, names);
  }
  return all;
}

/** The message of the JSON-RPC error in a refusal's body. */
function sentenceIn(body: string): string {
  try {
    const parsed = JSON.parse(body) as { error?: { message?: unknown } };
    return typeof parsed.error?.message === "string" ? parsed.error.message : body;
  } catch {
    return body; // Not JSON: an answer of something else on the way, shown as it is.
  }
}
