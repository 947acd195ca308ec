/** What the core, without a wire, lets a client see of the answer that a server gives in this case. */
import { answerOf, precedingAsk } from "../../fixtures/corpus.ts";
import type { ResponseCase } from "../../fixtures/corpus.ts";
import { corePeer } from "../../fixtures/corpus/core-peer.ts";
import { playRequest, playResponse } from "../../fixtures/corpus/envoy.ts";
import type { Delivered } from "../../fixtures/corpus/envoy.ts";

export async function coreDelivers(one: ResponseCase): Promise<Delivered> {
  const ask = precedingAsk(one);
  const peer = corePeer(ask);
  await playRequest(peer, ask);
  const delivered = await playResponse(peer, answerOf(one), (body) => [body]);
  if (delivered === "failed") throw new Error(`the core has no answer for ${one.id}`);
  return delivered;
}
