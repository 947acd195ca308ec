/**
 * Whether Envoy is configured so that its requests can be decided on safely. What it will show us is in the first message
 * of each stream (`protocol_config`); a mode that hides bodies would let through what nobody has read.
 */
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { BODY_SEND_MODE } from "./protos.ts";
import type { ProcessingRequest } from "./protos.ts";

/**
 * How bodies come to be shown to us. Requests `buffered`: whole. Answers `streamed`: Envoy is configured to show them,
 * piece by piece; `override`: only because we ask for it, which Envoy ignores without `allow_mode_override`, and does not
 * tell. `duplex` (FULL_DUPLEX_STREAMED): what we do not send back is lost.
 */
export type Profile = {
  readonly requests: "buffered" | "duplex";
  readonly answers: "streamed" | "override" | "duplex";
};

const { NONE, BUFFERED, STREAMED, FULL_DUPLEX_STREAMED } = BODY_SEND_MODE;

/** The profile, or what is wrong and which setting of the ext_proc filter to change. */
export function readProfile(
  request: Pick<ProcessingRequest, "observabilityMode" | "protocolConfig">,
): Result<Profile, string> {
  if (request.observabilityMode) {
    return err("Envoy ignores our answers: set observability_mode to false in the ext_proc filter");
  }
  const config = request.protocolConfig;
  if (config === null) {
    return err("Envoy does not say how it is configured (protocol_config): Envoy 1.36 or later is needed");
  }
  const { requestBodyMode, responseBodyMode } = config;
  if (requestBodyMode !== BUFFERED && requestBodyMode !== FULL_DUPLEX_STREAMED) {
    return err(
      `Envoy would pass requests on before they are read: set processing_mode.request_body_mode to BUFFERED, it is ${modeName(requestBodyMode)}`,
    );
  }
  const requests = requestBodyMode === BUFFERED ? "buffered" : "duplex";
  switch (responseBodyMode) {
    case STREAMED:
      return ok({ requests, answers: "streamed" });
    case FULL_DUPLEX_STREAMED:
      return ok({ requests, answers: "duplex" });
    case NONE:
      // With FULL_DUPLEX_STREAMED in either direction Envoy ignores every override.
      if (requests === "buffered") return ok({ requests, answers: "override" });
      return err(
        "Envoy would not show us answers: set processing_mode.response_body_mode to FULL_DUPLEX_STREAMED, it is NONE",
      );
    default:
      return err(
        `Envoy would hold event streams back: set processing_mode.response_body_mode to STREAMED, it is ${modeName(responseBodyMode)}`,
      );
  }
}

const modeName = (mode: number): string =>
  Object.entries(BODY_SEND_MODE).find(([, value]) => value === mode)?.[0] ?? String(mode);
