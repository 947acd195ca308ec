/**
 * Whether Envoy is configured so that its requests can be decided on safely. What it will show us is in the first message
 * of each stream (`protocol_config`); a mode that hides bodies would let through what nobody has read.
 */
import { BODY_SEND_MODE } from "./protos.ts";
import type { ProcessingRequest } from "./protos.ts";

/** What is wrong, and which setting of the ext_proc filter to change; undefined when nothing is. */
export function checkProfile(request: ProcessingRequest): string | undefined {
  if (request.observabilityMode) {
    return "Envoy ignores our answers: set observability_mode to false in the ext_proc filter";
  }
  const config = request.protocolConfig;
  if (config === null) {
    return "Envoy does not say how it is configured (protocol_config): Envoy 1.36 or later is needed";
  }
  if (config.requestBodyMode !== BODY_SEND_MODE.BUFFERED) {
    return `Envoy would pass requests on before we have read them: set processing_mode.request_body_mode to BUFFERED, it is ${modeName(config.requestBodyMode)}`;
  }
  const { responseBodyMode } = config;
  if (responseBodyMode !== BODY_SEND_MODE.NONE && responseBodyMode !== BODY_SEND_MODE.STREAMED) {
    return `Envoy would hold event streams back: set processing_mode.response_body_mode to NONE, it is ${modeName(responseBodyMode)}`;
  }
  return undefined;
}

const modeName = (mode: number): string =>
  Object.entries(BODY_SEND_MODE).find(([, value]) => value === mode)?.[0] ?? String(mode);
