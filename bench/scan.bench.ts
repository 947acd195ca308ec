/** core/jsonrpc/scan.ts beside JSON.parse, which checks far less and makes far more. */
import { REQUEST_SCAN, ANSWER_SCAN, scan } from "../src/core/jsonrpc/scan.ts";
import { CALL, LARGE_CALL, LIST } from "./documents.ts";
import type { Micro } from "./micro.ts";

const DOCUMENTS = [
  [`a call of ${CALL.length} bytes`, CALL, REQUEST_SCAN],
  ["a call with 64 KiB of text", LARGE_CALL, REQUEST_SCAN],
  ["a list of 500 tools", LIST, ANSWER_SCAN],
] as const;

export const scanBenches: readonly Micro[] = DOCUMENTS.flatMap(([name, bytes, limits]): Micro[] => {
  if (scan(bytes, limits).kind === "fault") throw new Error(`${name} must be acceptable JSON`);
  return [
    { name: `scan ${name}`, bytes: bytes.length, run: () => scan(bytes, limits) },
    { name: `  JSON.parse of it`, bytes: bytes.length, run: () => JSON.parse(bytes.toString()) as unknown },
  ];
});
