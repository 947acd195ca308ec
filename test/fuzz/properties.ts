/** The promises that are tried, in the order of docs/fuzzing.md: P1 to P9. */
import type { Property } from "./property.ts";
import { agreement } from "./properties/agreement.ts";
import { boundedWork } from "./properties/bounded-work.ts";
import { chunkInvariance } from "./properties/chunk-invariance.ts";
import { headerOrder } from "./properties/header-order.ts";
import { idempotence } from "./properties/idempotence.ts";
import { listAndCall } from "./properties/list-and-call.ts";
import { monotonicity } from "./properties/monotonicity.ts";
import { nonLeak } from "./properties/non-leak.ts";
import { requestPieces } from "./properties/request-pieces.ts";
import { roundTrip } from "./properties/round-trip.ts";

/** `share`: of all the cases that a run tries, so that a slow property does not take all the time. */
export const PROPERTIES: readonly { readonly property: Property; readonly share: number }[] = [
  { property: agreement, share: 0.25 },
  { property: idempotence, share: 0.1 },
  { property: chunkInvariance, share: 0.06 },
  { property: requestPieces, share: 0.05 },
  { property: headerOrder, share: 0.1 },
  { property: monotonicity, share: 0.04 },
  { property: listAndCall, share: 0.04 },
  { property: nonLeak, share: 0.2 },
  { property: roundTrip, share: 0.12 },
  { property: boundedWork, share: 0.004 },
];
