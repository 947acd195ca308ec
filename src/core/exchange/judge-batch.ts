/** A batch on its way to a server: each message judged as if it had come alone, and those refused taken out. */
import { ROOT } from "../jsonrpc/json.ts";
import { canonical } from "../jsonrpc/canonical.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { canonicalOf, Splice } from "../jsonrpc/splice.ts";
import type { Asked } from "../mcp/asked.ts";
import { joinBatch, readBatch } from "../mcp/batch.ts";
import type { HeaderClaim } from "../mcp/classify.ts";
import { jsonReply } from "../mcp/local-reply.ts";
import { refusal } from "../mcp/refusal.ts";
import type { Refusal } from "../mcp/refusal.ts";
import { askedBy } from "./asked-by.ts";
import { immediate, judgeMessage, refuse, unread } from "./judge.ts";
import type { Arrived, Judged, Refused } from "./judge.ts";
import type { Reply } from "./reply.ts";

/** What goes on of a batch, or what is answered when nothing does. */
export type JudgedBatch =
  | { readonly judged: readonly Judged[]; readonly asked: Asked; readonly body: Uint8Array | undefined }
  | { readonly judged: readonly Refused[]; readonly reply: Reply };

/** The one revision that has them; it is also the one that a request without a version is of. */
const REVISION = "2025-03-26";

export function judgeBatch(arrived: Arrived & { readonly claim: HeaderClaim }, json: Json): JudgedBatch {
  const { endpoint, server, claim, limits } = arrived;
  const no = (why: Refusal): JudgedBatch => {
    const judged = refuse(arrived, why, unread(claim));
    return { judged: [judged], reply: immediate(judged, judged.reply) };
  };
  const isTaken =
    server.batches === "judge" && endpoint.transport === "http" && (claim.revision ?? REVISION) === REVISION;
  if (!isTaken) return no(refusal("malformed-request", "a message must be one JSON object"));
  const messages = readBatch(json);
  if (!messages.ok) return no(messages.error);
  const judged = messages.value.map(([, message]) => judgeMessage(arrived, json, message, claim, limits));
  const refused = judged.filter((one) => one.verdict === "refused");
  const permitted = judged.filter((one) => one.verdict === "permitted");
  // What is no request gets no answer, also when it is refused.
  const answers = judged.flatMap((one, i) =>
    one.verdict === "refused" && messages.value[i]?.[1].kind === "request" ? [one.reply.body] : [],
  );
  const [first] = refused;
  if (first !== undefined && permitted.length === 0) {
    // Who has no access at all is told once. Notifications get no answer.
    const isWhole = answers.length === 0 || first.decided.reason === "no-access";
    const reply = isWhole ? first.reply : jsonReply(joinBatch(answers));
    return { judged: refused, reply: immediate(first, reply) };
  }
  const asked = askedBy(
    arrived,
    permitted.map(({ call }) => call),
    answers,
  );
  if (refused.length === 0) return { judged, asked, body: json.canonical ? undefined : canonical(json) };
  const splice = new Splice(json);
  let at = 0;
  splice.keep(ROOT, () => judged[at++]?.verdict === "permitted");
  return { judged, asked, body: canonicalOf(splice, json, limits.request) };
}
