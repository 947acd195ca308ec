/**
 * ext_authz: the same decision for who has only that filter. One message, one answer, and nothing of what follows is seen:
 * lists are not filtered and outcomes not known. An error here is a denial of Envoy's own; an answer that says nothing
 * would let the request through, so that none can be written.
 */
import { performance } from "node:perf_hooks";
import { check } from "../core/exchange/check.ts";
import type { CheckOptions } from "../core/exchange/check.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import type { Latest } from "../policies/latest.ts";
import { sha256 } from "../sha256.ts";
import type { Meter } from "../telemetry/meter.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Load } from "./load.ts";
import { encodeVerdict, toQuestion } from "./authz-wire.ts";
import { decodeCheckRequest } from "./protos.ts";
import type { CheckRequest } from "./protos.ts";
import type { Handler } from "./rpc.ts";
import { OK, STATUS_CODE, StatusError } from "./status.ts";
import type { WireOptions } from "./wire.ts";

export const EXT_AUTHZ_PATH = "/envoy.service.auth.v3.Authorization/Check";

export type ExtAuthzOptions = WireOptions &
  Pick<CheckOptions, "unmatched" | "limits" | "lists" | "unseen" | "loggedArguments" | "startSpans"> & {
    readonly policies: Pick<Latest<PolicySet>, "get">;
    readonly load: Load;
    readonly telemetry: Telemetry;
    readonly meter: Pick<Meter, "processed">;
  };

export function createExtAuthz(options: ExtAuthzOptions): Handler {
  return (rpc) => {
    const why = options.load.refuses();
    if (why !== undefined) return rpc.end({ code: STATUS_CODE.RESOURCE_EXHAUSTED, message: why });
    let isAnswered = false;
    rpc.frames({
      message(bytes) {
        if (isAnswered)
          throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, "one message was expected, and a second came");
        isAnswered = true;
        rpc.write(answer(bytes, options));
        rpc.end(OK);
      },
      end() {
        if (!isAnswered) throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, "one message was expected, and none came");
      },
      closed() {},
    });
  };
}

function answer(bytes: Uint8Array, options: ExtAuthzOptions): Uint8Array {
  const started = performance.now();
  const startedAtMs = Date.now();
  const { unmatched, limits, lists, unseen, policies, telemetry, startSpans, loggedArguments = [] } = options;
  const { headers, body, requestId } = toQuestion(decode(bytes), options);
  const how = { policies: policies.get(), unmatched, limits, lists, unseen, sha256, loggedArguments, startSpans };
  const checked = check(how, headers, body);
  const verdict = encodeVerdict(checked);
  const times = { requestId, startedAtMs, durationMs: performance.now() - started };
  const requestBytes = typeof body === "string" ? 0 : body.bytes.length;
  for (const [place, summary] of checked.summaries.entries()) {
    const sizes = place === 0 ? { requestBytes, responseBytes: undefined } : undefined;
    telemetry.record({ ...summary, ...times, sizes });
  }
  options.meter.processed("check", performance.now() - started);
  return verdict;
}

function decode(bytes: Uint8Array): CheckRequest {
  try {
    return decodeCheckRequest(bytes);
  } catch (error: unknown) {
    throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, `not a CheckRequest: ${String(error)}`);
  }
}
