/** Whether an ext_proc filter shows Toolgate all that it decides by, and obeys it. */
import { BODY_SEND_MODE } from "../../grpc/protos.ts";
import type { BodySendMode } from "../../grpc/protos.ts";
import { BELIEFS } from "../../core/exchange/belief.ts";
import { readProfile } from "../../grpc/profile.ts";
import { JWT_AUTHN } from "./order.ts";
import type { Finding, Place } from "./place.ts";

/** What the chain does before Toolgate is asked. */
export type Verified = { readonly certificates: boolean; readonly tokens: boolean };

/** A setting of the filter, as a route may have replaced it. */
export type Settings = (name: string) => Place;

/** Of a client's certificate; Envoy before 1.40 does not know `peer_certificate_valid`, and says nothing of it. */
const OF_CERTIFICATES = [
  "connection.mtls",
  "connection.peer_certificate_valid",
  "connection.uri_san_peer_certificate",
  "connection.dns_san_peer_certificate",
  "connection.subject_peer_certificate",
];
const OF_ISTIO = 'filter_state["io.istio.peer_principal"]';

export function extProcFindings(settings: Settings, verified: Verified): readonly Finding[] {
  return [
    ...failureFindings(settings),
    ...modeFindings(settings),
    ...attributeFindings(settings("request_attributes"), verified),
    ...metadataFindings(settings("metadata_options"), verified),
  ];
}

function failureFindings(settings: Settings): readonly Finding[] {
  const allow = settings("failure_mode_allow");
  const timeout = settings("message_timeout");
  return [
    ...(allow.isTrue
      ? [{ at: allow, message: "set it to false: with true, every request passes while Toolgate cannot be asked" }]
      : []),
    ...(timeout.isThere
      ? []
      : [{ at: timeout, message: "set it, to 1s say: Envoy's own 200 ms fail calls on a machine that is busy" }]),
  ];
}

function modeFindings(settings: Settings): readonly Finding[] {
  const observes = settings("observability_mode");
  if (observes.isTrue)
    return [{ at: observes, message: "set it to false: with true, Envoy ignores what Toolgate answers" }];
  const mode = settings("processing_mode");
  const requestBodyMode = bodyMode(mode.at("request_body_mode"));
  const responseBodyMode = bodyMode(mode.at("response_body_mode"));
  const protocolConfig = { requestBodyMode, responseBodyMode, sendBodyWithoutWaitingForHeaderResponse: false };
  const profile = readProfile({ ...FIRST_MESSAGE, protocolConfig }, BELIEFS);
  if (!profile.ok) return [{ at: mode, message: profile.error }];
  const override = settings("allow_mode_override");
  const skips = (name: string): boolean => mode.at(name).text === "SKIP";
  return [
    ...(skips("request_header_mode")
      ? [{ at: mode.at("request_header_mode"), message: "set it to SEND: Toolgate decides by headers too" }]
      : []),
    ...(skips("response_header_mode")
      ? [{ at: mode.at("response_header_mode"), message: "set it to SEND: lists would reach callers unfiltered" }]
      : []),
    ...(profile.value.answers === "override" && !override.isTrue
      ? [
          {
            at: mode.at("response_body_mode"),
            message: `set it to STREAMED (or allow_mode_override to true): it is NONE, and lists would reach callers unfiltered`,
          },
        ]
      : []),
    ...(profile.value.answers !== "override" && mode.at("response_trailer_mode").text !== "SEND"
      ? [
          {
            at: mode.at("response_trailer_mode"),
            message: "set it to SEND: what is held back of an answer is lost at trailers",
          },
        ]
      : []),
  ];
}

/** As Envoy would ask about a request with a body. */
const FIRST_MESSAGE = {
  request: "requestHeaders",
  requestHeaders: { headers: null, endOfStream: false },
  attributes: {},
  metadataContext: null,
  observabilityMode: false,
} as const;

function bodyMode({ value }: Place): BodySendMode {
  const modes = Object.entries(BODY_SEND_MODE);
  return modes.find(([name, number]) => name === value || number === value)?.[1] ?? BODY_SEND_MODE.NONE;
}

function attributeFindings(attributes: Place, { certificates }: Verified): readonly Finding[] {
  if (!certificates || attributes.texts.includes(OF_ISTIO)) return [];
  const missing = OF_CERTIFICATES.filter((name) => !attributes.texts.includes(name));
  if (missing.length === 0) return [];
  return [
    { at: attributes, message: `add ${missing.join(", ")}: callers have certificates that Toolgate is not told of` },
  ];
}

function metadataFindings(options: Place, { tokens }: Verified): readonly Finding[] {
  const forwarded = options.at("forwarding_namespaces", "untyped");
  const received = options.at("receiving_namespaces", "untyped");
  return [
    ...(tokens && !forwarded.texts.includes(JWT_AUTHN)
      ? [{ at: forwarded, message: `add ${JWT_AUTHN}: callers have tokens that Toolgate is not told of` }]
      : []),
    ...(received.texts.includes("toolgate")
      ? []
      : [{ at: received, message: "add toolgate: access log, rate limits and routes do not see what Toolgate found" }]),
  ];
}
