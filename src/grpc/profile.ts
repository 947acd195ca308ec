/**
 * Whether Envoy is configured so that its requests can be decided on safely. What it will show us is in the first message
 * of each stream (`protocol_config`); a mode that hides bodies would let through what nobody has read.
 */
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { BODY_SEND_MODE } from "./protos.ts";
import type { ProcessingRequest } from "./protos.ts";

/**
 * How answers come to be shown to us. `streamed`: Envoy is configured to show them. `override`: only because we ask for
 * it, which Envoy ignores without `allow_mode_override`, and does not tell.
 */
export type Profile = { readonly answers: "streamed" | "override" };

/** The profile, or what is wrong and which setting of the ext_proc filter to change. */
export function readProfile(request: ProcessingRequest): Result<Profile, string> {
  if (request.observabilityMode) {
    return err("Envoy ignores our answers: set observability_mode to false in the ext_proc filter");
  }
  const config = request.protocolConfig;
  if (config === null) {
    return err("Envoy does not say how it is configured (protocol_config): Envoy 1.36 or later is needed");
  }
  const { requestBodyMode, responseBodyMode } = config;
  if (requestBodyMode !== BODY_SEND_MODE.BUFFERED) {
    return err(
      `Envoy would pass requests on before they are read: set processing_mode.request_body_mode to BUFFERED, it is ${modeName(requestBodyMode)}`,
    );
  }
  switch (responseBodyMode) {
    case BODY_SEND_MODE.STREAMED:
      return ok({ answers: "streamed" });
    case BODY_SEND_MODE.NONE:
      return ok({ answers: "override" });
    default:
      return err(
        `Envoy would hold event streams back: set processing_mode.response_body_mode to STREAMED, it is ${modeName(responseBodyMode)}`,
      );
  }
}

const modeName = (mode: number): string =>
  Object.entries(BODY_SEND_MODE).find(([, value]) => value === mode)?.[0] ?? String(mode);
