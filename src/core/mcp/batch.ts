/**
 * Batches: arrays of messages (2025-03-26 alone has them). Each message is judged as if it had come alone, and each answer
 * delivered so; an array is only how they travel together.
 */
import { concat, utf8 } from "../bytes.ts";
import { elementsOf, kindAt, ROOT, sliceAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { readMessage } from "../jsonrpc/message.ts";
import type { Id, Message } from "../jsonrpc/message.ts";
import { scanMended } from "../jsonrpc/mend.ts";
import { skipSpace } from "../jsonrpc/scan.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { ARRAY } from "../jsonrpc/tape.ts";
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import { answeredBy, deliver, PLAIN, withhold } from "./answer.ts";
import type { Delivery, Framing } from "./answer.ts";
import type { Asked } from "./asked.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";

/** More in one array are refused: each costs a decision. */
const MAX_MESSAGES = 100;

export const isBatch = (json: Json): boolean => kindAt(json, ROOT) === ARRAY;

/** The messages of a batch with their places, or why there is none. */
export function readBatch(json: Json): Result<readonly (readonly [at: At, message: Message])[], Refusal> {
  const elements = elementsOf(json, ROOT);
  if (elements.length === 0) return malformed("a batch has at least one message");
  if (elements.length > MAX_MESSAGES)
    return err(refusal("too-many-messages", `a batch has more than ${MAX_MESSAGES} messages`));
  const messages: (readonly [At, Message])[] = [];
  const ids = new Set<Id>();
  for (const at of elements) {
    const message = readMessage(json, at);
    if (message.kind === "invalid") return malformed(`in a batch, ${message.message}`);
    if (message.kind !== "answer" && message.method === "initialize")
      return malformed("initialize is not part of a batch");
    if (message.kind === "request") {
      if (ids.has(message.id)) return malformed("two requests of a batch have the same id");
      ids.add(message.id);
    }
    messages.push([at, message]);
  }
  const answers = messages.filter(([, message]) => message.kind === "answer").length;
  return answers === 0 || answers === messages.length
    ? ok(messages)
    : malformed("a batch has requests and notifications, or answers alone");
}

const malformed = (message: string): Result<never, Refusal> => err(refusal("malformed-request", message));

/** What came as one: the bytes that go on in its place, and what became of each message in it. */
export type Deliveries = { readonly bytes: Uint8Array | undefined; readonly each: readonly Delivery[] };

/**
 * One message or, where `asked` takes batches, several. `answered`: who has an answer already. `instead`: what a client
 * gets in place of an answer that is withheld, or it would wait for it for ever.
 */
export function deliverEach(
  bytes: Uint8Array,
  asked: Asked,
  { answered, ...framing }: Framing & { readonly answered: Answered },
  instead: (id: Id, delivery: Delivery) => Uint8Array,
): Deliveries {
  const batch = asked.takesBatches ? scanBatch(bytes, asked) : undefined;
  if (batch === undefined) return alone(deliverOnce(bytes, asked, answered, framing));
  const elements = messagesOf(batch);
  if (elements.length > MAX_MESSAGES)
    return alone(withhold("too-large", `is a batch of more than ${MAX_MESSAGES} messages`));
  const answeredSince = [...answered];
  const each = elements.map((element) => {
    const delivery = deliverOnce(element, asked, answeredSince, PLAIN);
    answeredSince.push(answeredBy(asked, delivery));
    return delivery;
  });
  const delivered = each.map((one) =>
    one.bytes === undefined && one.answers !== undefined ? instead(one.answers, one) : one.bytes,
  );
  if (delivered.every((one, i) => one === elements[i])) return { bytes: batch.bytes, each };
  const kept = delivered.filter((one) => one !== undefined);
  return { bytes: kept.length === 0 ? undefined : joinBatch(kept), each };
}

type Answered = readonly (Id | undefined)[];

/** One answer to one request: whoever gets a second one cannot know which to believe. */
function deliverOnce(message: Uint8Array, asked: Asked, answered: Answered, framing: Framing): Delivery {
  const delivery = deliver(message, asked, framing);
  const id = answeredBy(asked, delivery);
  return id !== undefined && answered.includes(id)
    ? withhold("unexpected", "answers a request that has its answer")
    : delivery;
}

export const alone = (delivery: Delivery): Deliveries => ({ bytes: delivery.bytes, each: [delivery] });

const [OPEN, CLOSE, COMMA] = [utf8("["), utf8("]"), utf8(",")] as [Uint8Array, Uint8Array, Uint8Array];

/** One array of these messages. */
export const joinBatch = (messages: readonly Uint8Array[]): Uint8Array =>
  concat([OPEN, ...messages.flatMap((message, i) => (i === 0 ? [message] : [COMMA, message])), CLOSE]);

/** The messages in an array of them; undefined for anything else. */
export function splitBatch(bytes: Uint8Array, asked: Asked): readonly Uint8Array[] | undefined {
  const batch = scanBatch(bytes, asked);
  return batch && messagesOf(batch);
}

/** Most are one message, and are scanned as such. */
function scanBatch(bytes: Uint8Array, asked: Asked): Json | undefined {
  if (!beginsArray(bytes)) return undefined;
  const json = scanMended(bytes, asked.limits.answer);
  return json.kind === "json" && isBatch(json) ? json : undefined;
}

const messagesOf = (batch: Json): readonly Uint8Array[] => elementsOf(batch, ROOT).map((at) => sliceAt(batch, at));

const beginsArray = (bytes: Uint8Array): boolean => bytes[skipSpace(bytes)] === 0x5b;
