/** Whether an ext_proc filter shows Toolgate all that it decides by, and obeys it. */
import { BODY_SEND_MODE } from "../../grpc/protos.ts";
import type { BodySendMode, ProcessingRequest } from "../../grpc/protos.ts";
import { readProfile } from "../../grpc/profile.ts";
import { ANSWER_ATTRIBUTES, CODE_DETAILS, LEAN_ATTRIBUTES } from "../../grpc/skipped-headers.ts";
import { hiddenHeaders } from "./hidden-headers.ts";
import { JWT_AUTHN, NATIVE_MCP } from "./order.ts";
import type { Finding, Place } from "./place.ts";

/** What stands around the filter, on the way to one destination. */
export type Surroundings = {
  /** Callers have certificates, or tokens, that have been verified. */
  readonly certificates: boolean;
  readonly tokens: boolean;
  /** What becomes of headers with an underscore in their names. */
  readonly underscores: Place;
  /** `envoy.filters.http.buffer` behind it holds a request until it is decided. */
  readonly isHeld: boolean;
  /** Envoy's own MCP filter, before it. */
  readonly nativeMcp: Place | undefined;
};

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

export function extProcFindings(settings: Settings, around: Surroundings): readonly Finding[] {
  return [
    ...failureFindings(settings),
    ...modeFindings(settings, around),
    ...hiddenHeaders(
      settings("forward_rules").at("allowed_headers"),
      settings("forward_rules").at("disallowed_headers"),
    ),
    ...attributeFindings(settings("request_attributes"), around),
    ...metadataFindings(settings("metadata_options"), around),
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

function modeFindings(settings: Settings, { underscores, isHeld, nativeMcp }: Surroundings): readonly Finding[] {
  const observes = settings("observability_mode");
  if (observes.isTrue)
    return [{ at: observes, message: "set it to false: with true, Envoy ignores what Toolgate answers" }];
  const mode = settings("processing_mode");
  const profile = readProfile(firstMessage(mode), [
    ...(isHeld ? (["lean"] as const) : []),
    ...(nativeMcp === undefined ? [] : (["native-mcp"] as const)),
  ]);
  if (!profile.ok) return [{ at: mode, message: profile.error }];
  const { requests, answers } = profile.value;
  const [headers, body, trailers] = [
    mode.at("response_header_mode"),
    mode.at("response_body_mode"),
    mode.at("response_trailer_mode"),
  ];
  const asked = settings("request_attributes");
  const missing = LEAN_ATTRIBUTES.filter((name) => !asked.texts.includes(name));
  const answered = settings("response_attributes");
  const isTold = ANSWER_ATTRIBUTES.every((name) => answered.texts.includes(name));
  const rows = [
    [asked, requests === "lean" && missing.length > 0, `add ${missing.join(", ")}: headers are skipped`],
    [
      underscores,
      requests === "lean" && underscores.text !== "REJECT_REQUEST" && underscores.text !== "DROP_HEADER",
      "set it to REJECT_REQUEST: headers are skipped, and some servers read mcp_name as mcp-name",
    ],
    [
      headers,
      headers.text === "SKIP" && !(answers === "streamed" && isTold),
      `set it to SEND, or add what is needed of headers to response_attributes (${ANSWER_ATTRIBUTES.join(", ")})`,
    ],
    [
      body,
      answers === "override" && !settings("allow_mode_override").isTrue,
      "set it to STREAMED (or allow_mode_override to true): it is NONE, and lists would reach callers unfiltered",
    ],
    [
      answered,
      !answered.texts.includes(CODE_DETAILS),
      `add ${CODE_DETAILS}: Envoy's own answers, before a decision, are told by it from a server's`,
    ],
    [
      mode.at("request_trailer_mode"),
      requests !== "parsed" && mode.at("request_trailer_mode").text !== "SEND",
      "set it to SEND: what has trailers in place of a body would go on undecided",
    ],
    [
      trailers,
      answers !== "override" && trailers.text !== "SEND",
      "set it to SEND: what is held back of an answer is lost at trailers",
    ],
  ] as const;
  return [
    ...rows.flatMap(([at, isWrong, message]) => (isWrong ? [{ at, message }] : [])),
    ...(requests === "parsed" && nativeMcp !== undefined ? nativeFindings(nativeMcp) : []),
  ];
}

/** What Envoy would send first of a request with a body, with these modes. */
function firstMessage(mode: Place): ProcessingRequest {
  const requestBodyMode = bodyMode(mode.at("request_body_mode"));
  const responseBodyMode = bodyMode(mode.at("response_body_mode"));
  const shared = {
    metadataContext: null,
    attributes: {},
    observabilityMode: false,
    protocolConfig: { requestBodyMode, responseBodyMode },
  };
  return mode.at("request_header_mode").text === "SKIP" && requestBodyMode === BODY_SEND_MODE.BUFFERED
    ? { ...shared, request: "requestBody", requestBody: { body: new Uint8Array(), endOfStream: true } }
    : { ...shared, request: "requestHeaders", requestHeaders: { headers: null, endOfStream: false } };
}

/** Of the filter whose reading is believed in place of one's own. */
function nativeFindings(filter: Place): readonly Finding[] {
  const rows = [
    [filter.at("traffic_mode"), "REJECT_NO_MCP", "what is no MCP would pass unread"],
    [filter.at("reject_duplicate_keys"), true, "of two names the server could take the other one"],
  ] as const;
  const source = filter.at("attribute_source");
  return [
    ...rows.flatMap(([at, wanted, why]) =>
      at.value === wanted ? [] : [{ at, message: `set it to ${String(wanted)}: ${why}` }],
    ),
    ...(source.text === "HEADERS" ? [{ at: source, message: "set it to BODY: headers can say something else" }] : []),
  ];
}

function bodyMode({ value }: Place): BodySendMode {
  const modes = Object.entries(BODY_SEND_MODE);
  return modes.find(([name, number]) => name === value || number === value)?.[1] ?? BODY_SEND_MODE.NONE;
}

function attributeFindings(attributes: Place, { certificates }: Surroundings): readonly Finding[] {
  if (!certificates || attributes.texts.includes(OF_ISTIO)) return [];
  const missing = OF_CERTIFICATES.filter((name) => !attributes.texts.includes(name));
  if (missing.length === 0) return [];
  return [
    { at: attributes, message: `add ${missing.join(", ")}: callers have certificates that Toolgate is not told of` },
  ];
}

function metadataFindings(options: Place, { tokens, nativeMcp }: Surroundings): readonly Finding[] {
  const forwarded = options.at("forwarding_namespaces", "untyped");
  const received = options.at("receiving_namespaces", "untyped");
  return [
    ...(tokens && !forwarded.texts.includes(JWT_AUTHN)
      ? [{ at: forwarded, message: `add ${JWT_AUTHN}: callers have tokens that Toolgate is not told of` }]
      : []),
    ...(nativeMcp !== undefined && !forwarded.texts.includes(NATIVE_MCP)
      ? [{ at: forwarded, message: `add ${NATIVE_MCP}: what that filter has read does not reach Toolgate` }]
      : []),
    ...(received.texts.includes("toolgate")
      ? []
      : [{ at: received, message: "add toolgate: access log, rate limits and routes do not see what Toolgate found" }]),
  ];
}
