/** How large, deep and long things may be. Each is an option; each hit has a reason of its own. */
import { ANSWER_SCAN, REQUEST_SCAN } from "./jsonrpc/scan.ts";
import type { ScanLimits } from "./jsonrpc/scan.ts";

export type Limits = {
  readonly request: ScanLimits;
  readonly answer: ScanLimits;
  readonly maxBodyBytes: number;
  /** Of an answer in JSON, which is held until it is complete. */
  readonly maxAnswerBytes: number;
  /** Of one event of a stream, which is held until it is complete. */
  readonly maxEventBytes: number;
  /** Of a tool's or a prompt's name, and of a task's id. */
  readonly maxNameBytes: number;
  /** Of a resource's URI or URI template. */
  readonly maxUriBytes: number;
};

export const DEFAULT_LIMITS: Limits = {
  request: REQUEST_SCAN,
  answer: ANSWER_SCAN,
  maxBodyBytes: 4_194_304,
  maxAnswerBytes: 16_777_216,
  maxEventBytes: 4_194_304,
  maxNameBytes: 256,
  maxUriBytes: 2_048,
};
