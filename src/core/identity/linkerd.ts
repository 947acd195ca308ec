/**
 * The name that Linkerd gives a client (`l5d-client-id`): `<account>.<namespace>.serviceaccount.identity.<linkerd's
 * namespace>.<trust domain>`. It is the same workload as the SPIFFE ID of that service account, so a rule means both.
 */
import { parseSpiffeId } from "./spiffe.ts";
import type { SpiffeId } from "./spiffe.ts";

/** A namespace is one label, so the account's name is what stands before it, dots and all. */
const LINKERD_ID = /^([a-z0-9.-]{1,253})\.([a-z0-9-]{1,63})\.serviceaccount\.identity\.[a-z0-9-]{1,63}\.([a-z0-9.-]+)$/;

export function parseLinkerdId(name: string): SpiffeId | undefined {
  const [, account, namespace, trustDomain] = LINKERD_ID.exec(name) ?? [];
  return account === undefined ? undefined : parseSpiffeId(`spiffe://${trustDomain}/ns/${namespace}/sa/${account}`);
}
