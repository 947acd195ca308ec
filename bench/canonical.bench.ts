/** core/jsonrpc/canonical.ts: only for bodies that are not canonical already. */
import { canonical } from "../src/core/jsonrpc/canonical.ts";
import { REQUEST_SCAN, scan } from "../src/core/jsonrpc/scan.ts";
import { LOOSE_CALL } from "./documents.ts";
import type { Micro } from "./micro.ts";

const json = scan(LOOSE_CALL, REQUEST_SCAN);
if (json.kind === "fault" || json.canonical) throw new Error("LOOSE_CALL must be JSON that is not canonical");

export const canonicalBenches: readonly Micro[] = [
  { name: "canonical form of an indented call", bytes: LOOSE_CALL.length, run: () => canonical(json) },
];
