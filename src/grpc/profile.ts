/**
 * Whether Envoy is configured so that its requests can be decided on safely. What it will show us is in the first message
 * of each stream (`protocol_config`); a mode that hides bodies would let through what nobody has read. What else must stand
 * in Envoy's configuration, and no message shows, is believed only where the operator says that it does.
 */
import type { Belief } from "../core/exchange/belief.ts";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { BODY_SEND_MODE } from "./protos.ts";
import type { ProcessingRequest } from "./protos.ts";

/**
 * How bodies come to be shown to us. Requests `buffered`: whole, after the headers; `lean`: whole, without them; `duplex`
 * (FULL_DUPLEX_STREAMED): what we do not send back is lost; `parsed`: not at all, Envoy's own MCP filter has read them;
 * `none`: there is no body. Answers `streamed`: Envoy is configured to show them, piece by piece; `override`: only because
 * we ask for it, which Envoy ignores without `allow_mode_override`, and does not tell.
 */
export type Profile = {
  readonly requests: "buffered" | "lean" | "duplex" | "parsed" | "none";
  readonly answers: "streamed" | "override" | "duplex";
};

const { NONE, BUFFERED, STREAMED, FULL_DUPLEX_STREAMED } = BODY_SEND_MODE;

/** The profile, or what is wrong and which setting of the ext_proc filter to change. */
export function readProfile(request: ProcessingRequest, beliefs: readonly Belief[]): Result<Profile, string> {
  if (request.observabilityMode) {
    return err("Envoy ignores our answers: set observability_mode to false in the ext_proc filter");
  }
  const config = request.protocolConfig;
  if (config === null) {
    return err("Envoy does not say how it is configured (protocol_config): Envoy 1.36 or later is needed");
  }
  const { requestBodyMode, responseBodyMode } = config;
  const requests = readRequests(request, requestBodyMode, beliefs);
  if (!requests.ok) return requests;
  switch (responseBodyMode) {
    case STREAMED:
      return ok({ requests: requests.value, answers: "streamed" });
    case FULL_DUPLEX_STREAMED:
      return ok({ requests: requests.value, answers: "duplex" });
    case NONE:
      // With FULL_DUPLEX_STREAMED in either direction Envoy ignores every override.
      if (requests.value !== "duplex") return ok({ requests: requests.value, answers: "override" });
      return err(
        "Envoy would not show us answers: set processing_mode.response_body_mode to FULL_DUPLEX_STREAMED, it is NONE",
      );
    default:
      return err(
        `Envoy would hold event streams back: set processing_mode.response_body_mode to STREAMED, it is ${modeName(responseBodyMode)}`,
      );
  }
}

function readRequests(
  request: ProcessingRequest,
  mode: number,
  beliefs: readonly Belief[],
): Result<Profile["requests"], string> {
  if (mode === FULL_DUPLEX_STREAMED) return ok("duplex");
  if (mode === BUFFERED && request.request !== "requestBody") return ok("buffered");
  if (mode === BUFFERED) {
    if (beliefs.includes("lean")) return ok("lean");
    return err(
      "Envoy would pass the headers of requests on before we have decided: set processing_mode.request_header_mode to SEND. With the filter envoy.filters.http.buffer behind this one, they are held: then start Toolgate with --profiles lean",
    );
  }
  if (mode === NONE && hasNoBody(request)) return ok("none");
  if (mode === NONE && beliefs.includes("native-mcp")) return ok("parsed");
  return err(
    `Envoy would pass requests on before they are read: set processing_mode.request_body_mode to BUFFERED, it is ${modeName(mode)}${mode === NONE ? BEHIND_NATIVE_MCP : ""}`,
  );
}

const BEHIND_NATIVE_MCP =
  ". Where Envoy's own filter envoy.filters.http.mcp has read them before: start Toolgate with --profiles native-mcp";

/** Nothing that could be hidden. An answer before any request is one of Envoy's own, or refused as such. */
const hasNoBody = (request: ProcessingRequest): boolean =>
  request.request === "requestHeaders"
    ? request.requestHeaders.endOfStream
    : request.request === "responseHeaders" || request.request === "responseBody";

const modeName = (mode: number): string =>
  Object.entries(BODY_SEND_MODE).find(([, value]) => value === mode)?.[0] ?? String(mode);
