/** The calls of a soak: what each kind sends, and what its caller must get while nothing is broken. */
import { request } from "node:http";
import { ask, callTool, rpc } from "../envoy/http.ts";

/** How the upstream is to answer a call that has this in `_meta`; in JSON without it. */
export type AnswerForm = "events" | "idle";

/** What came of a call. A caller that leaves has no `text`. */
type Got = { readonly status: number | undefined; readonly text: string; readonly complete: boolean };

export type Call = Got & {
  /** Envoy's request id, under which the decision log has it. */
  readonly id: string;
  readonly kind: Kind;
};

type Sent = {
  readonly role?: "reader" | "stranger";
  readonly method?: "GET";
  readonly body?: string;
  readonly leaves?: "in its body" | "in the answer";
  readonly isAnswered: (got: Got) => boolean;
};

const answerIn = (form: AnswerForm) => ({ _meta: { answer: form } });
const toolIn = (form: AnswerForm, name: string): string =>
  rpc("tools/call", { name, arguments: {}, ...answerIn(form) });

const says =
  (status: number, words: string) =>
  (got: Got): boolean =>
    got.status === status && got.complete && got.text.includes(words);
const isList = says(200, '"allowed-one"');
const hasBegun = ({ status }: Got): boolean => status === 200;
const done = says(200, "done: ");
const blocked = says(200, "Blocked by policy");

const BULK = "x".repeat(200_000);

/** No valid policy grants what is called `hidden`, every one what is called `allowed`; about `extra` they differ. */
const KINDS = {
  allowed: (n) => ({ body: callTool(`allowed-${n}`), isAnswered: done }),
  "allowed, in events": (n) => ({ body: toolIn("events", `allowed-${n}`), isAnswered: done }),
  "allowed, bulky": (n) => ({ body: callTool(`allowed-${n}`, { bulk: BULK }), isAnswered: done }),
  "allowed by some policies": (n) => ({ body: callTool(`extra-${n}`), isAnswered: (got) => done(got) || blocked(got) }),
  denied: (n) => ({ body: callTool(`hidden-${n}`), isAnswered: blocked }),
  "denied, a stranger's": (n) => ({ role: "stranger", body: callTool(`hidden-${n}`), isAnswered: says(403, "") }),
  malformed: (n) => ({ body: callTool(`hidden-${n}`).slice(0, -1), isAnswered: says(400, "-32700") }),
  list: () => ({ body: rpc("tools/list"), isAnswered: isList }),
  "list, in events": () => ({ body: rpc("tools/list", answerIn("events")), isAnswered: isList }),
  "left in the answer": (n) => ({
    body: toolIn("idle", `allowed-${n}`),
    leaves: "in the answer",
    isAnswered: hasBegun,
  }),
  "left in a GET": () => ({ method: "GET", leaves: "in the answer", isAnswered: hasBegun }),
  "left in the body": (n) => ({ body: callTool(`hidden-${n}`), leaves: "in its body", isAnswered: () => true }),
} satisfies Readonly<Record<string, (n: number) => Sent>>;

export type Kind = keyof typeof KINDS;
export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[];

export type Caller = {
  readonly url: URL;
  readonly tokens: Readonly<Record<"reader" | "stranger", string>>;
};

export async function call({ url, tokens }: Caller, kind: Kind, n: number): Promise<Call> {
  const { role = "reader", method, body, leaves }: Sent = KINDS[kind](n);
  const id = `soak-${n}`;
  const headers = { "x-request-id": id };
  const sent = { token: tokens[role], headers, method: method ?? "POST", ...(body === undefined ? {} : { body }) };
  const got = leaves === undefined ? await ask(url, sent) : await leave(url, leaves, sent);
  return { ...got, id, kind };
}

/** Whether a call came to what its kind is for. */
export const isAnswered = (made: Call): boolean => (KINDS[made.kind](0) as Sent).isAnswered(made);

/** A grant that is taken back takes the answer with it that is under way. */
export const isCutOff = ({ kind, status, complete }: Call): boolean =>
  kind === "allowed by some policies" && (status === 503 || !complete);

/** Whether it was shown what no policy lets it see, also in an answer that broke off. */
export const isLeak = ({ kind, text }: Call): boolean => kind.startsWith("list") && text.includes("hidden");

/** Whether there is a record of it for certain. Of one that was never whole there is none, or one. */
export const isRecorded = ({ kind }: Call): boolean => kind !== "left in the body";

type Leaving = {
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
  readonly body?: string;
};

/** Cuts the connection after half of the request's body, or at the first bytes of the answer's. */
function leave(
  url: URL,
  where: "in its body" | "in the answer",
  { token, headers, method, body = "" }: Leaving,
): Promise<Got> {
  const { promise, resolve } = Promise.withResolvers<Got>();
  const outgoing = request(url, {
    method,
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json, text/event-stream",
      ...(method === "GET" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...headers,
    },
  });
  let status: number | undefined;
  outgoing.on("response", (response) => {
    status = response.statusCode;
    response.on("error", () => {}).on("data", () => outgoing.destroy());
  });
  outgoing.on("error", () => {}).on("close", () => resolve({ status, text: "", complete: false }));
  if (where === "in the answer") outgoing.end(body);
  else outgoing.write(body.slice(0, body.length / 2), () => outgoing.destroy());
  return promise;
}
