/** The attack corpus as cases to begin from: what once was a bypass somewhere is close to the next one. */
import { answerOf, askOf, precedingAsk, REQUEST_CASES, RESPONSE_CASES } from "../../fixtures/corpus.ts";
import type { Ask } from "../../fixtures/corpus.ts";
import type { AnswerCase, RequestCase } from "../case.ts";

/** Larger ones cost a run as much as a hundred others do. */
const MAX_BYTES = 16_384;

/** All by the corpus' one principal: who calls is varied elsewhere. */
const asReader = ({ headers, body }: Ask): RequestCase => ({ caller: "reader", headers, body: Uint8Array.from(body) });

export const CORPUS_REQUESTS: readonly RequestCase[] = REQUEST_CASES.map(askOf)
  .filter(({ body }) => body.length <= MAX_BYTES)
  .map(asReader);

export const CORPUS_ANSWERS: readonly AnswerCase[] = RESPONSE_CASES.filter(
  (one) => answerOf(one).body.length <= MAX_BYTES,
).map((one) => {
  const { headers, body } = answerOf(one);
  return { request: asReader(precedingAsk(one)), headers, body: Uint8Array.from(body), cuts: [], secrets: [] };
});
