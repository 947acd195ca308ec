/** What is special about the corpus on a real Envoy, with the reasons. The ring holds these tables complete. */
import type { RequestCase } from "../../fixtures/corpus.ts";

/** The request body modes that are not safe, each with a route of its own that sets it. */
export const WRONG_MODES = ["NONE", "STREAMED", "BUFFERED_PARTIAL"];

export const routeOfMode = (mode: string): string => `${mode.toLowerCase().replace("_", "-")}.example`;

/** The mode of a case that is about a route on which Envoy does not show bodies as it has to. */
export const wrongModeOf = ({ ext_proc }: RequestCase): string | undefined =>
  WRONG_MODES.find((mode) => mode === ext_proc?.protocol_config?.request_body_mode);

const NO_SUCH_MESSAGES = "no Envoy sends these messages in this order:";

/** Cases that no client and no server can bring about through this gateway. */
export const NOT_ON_ENVOY: Readonly<Record<string, string>> = {
  "hdr-033": "Envoy sends a header's value in one field of its message",
  "xpr-002": `${NO_SUCH_MESSAGES} the headers twice`,
  "xpr-004": "observability_mode is of the whole filter, and Envoy then ignores all answers: misconfigured.test.ts",
  "xpr-006": "allow_mode_override, without which lists cannot be read, is of the whole filter: misconfigured.test.ts",
  "xpr-013": `${NO_SUCH_MESSAGES} the headers of a POST, and the end of the stream`,
  "xpr-017": "it is about who may connect to Toolgate: grpc-tls.test.ts",
  "xpr-018": `${NO_SUCH_MESSAGES} headers without protocol_config`,
  "xpr-019": `${NO_SUCH_MESSAGES} two paths in one request`,
  "xpr-020": `${NO_SUCH_MESSAGES} the answer of a server that was not asked`,
};

/** Envoy takes out what the case is to be blocked for, before Toolgate is asked. What is left is an allowed call. */
export const CLEANED_BY_ENVOY: Readonly<Record<string, readonly string[]>> = {
  // Envoy speaks no h2c on this port: it answers in HTTP/1.1, and the server sees no upgrade.
  "htp-044": ["connection", "upgrade", "http2-settings"],
};

/** Blocked, and not as the core blocks it: by Envoy, by the core for another reason, or by the end of a stream. */
type OtherBlock = { readonly by: "Envoy" | "an error" | `toolgate_${string}`; readonly why: string };

const NO_ROUTE: OtherBlock = { by: "Envoy", why: "no route has this path" };
const NO_CONNECTION: OtherBlock = { by: "Envoy", why: "no connection without a certificate of the trust domain" };
const STREAM_ENDS: OtherBlock = { by: "an error", why: "Toolgate ends the stream: it would not see the body" };

export const OTHER_BLOCK: Readonly<Record<string, OtherBlock>> = {
  "ce-007": { by: "toolgate_unsupported-media-type", why: "Envoy makes one header of the two" },
  "ct-008": { by: "toolgate_unsupported-media-type", why: "Envoy makes one header of the two" },
  "hdr-008": { by: "Envoy", why: "headers_with_underscores_action" },
  "hdr-031": { by: "toolgate_header-mismatch", why: "Envoy takes out the headers that connection names" },
  "htp-020": NO_ROUTE,
  "htp-022": NO_ROUTE,
  "htp-025": NO_ROUTE,
  "htp-026": NO_ROUTE,
  "htp-027": NO_ROUTE,
  "htp-028": NO_ROUTE,
  "htp-030": NO_ROUTE,
  "htp-031": NO_ROUTE,
  "htp-032": NO_ROUTE,
  "htp-033": NO_ROUTE,
  "htp-034": NO_ROUTE,
  "htp-035": NO_ROUTE,
  "htp-036": NO_ROUTE,
  "htp-043": { by: "Envoy", why: "upgrade_configs has no websocket" },
  "htp-047": { by: "Envoy", why: "a host has no such characters" },
  "idn-003": NO_CONNECTION,
  "idn-011": NO_CONNECTION,
  "idn-016": NO_CONNECTION,
  "idn-017": NO_CONNECTION,
  "idn-019": { by: "Envoy", why: "jwt_authn: not a JWT" },
  "lim-013": { by: "Envoy", why: "the client leaves before its request ends" },
  "xpr-005": STREAM_ENDS,
  "xpr-007": STREAM_ENDS,
  "xpr-008": STREAM_ENDS,
};

const ONE_HEADER = "without headers, Envoy makes one of those that stand twice, and so a comma makes two";

/** Where headers are not shown: another reason, or the core's after all. */
export const OTHER_BLOCK_ALONE: Readonly<Record<string, OtherBlock | undefined>> = {
  "ct-003": { by: "toolgate_malformed-request", why: ONE_HEADER },
  "ct-008": undefined,
  "hdr-007": { by: "toolgate_malformed-request", why: ONE_HEADER },
};

/** Where headers are not shown, what Toolgate would take out of one is refused. */
export const REFUSED_ALONE: Readonly<Record<string, string>> = {
  "hdr-024": "Mcp-Name, which means nothing to its revision",
  "hdr-026": "a session, which means nothing to its revision",
};

/** Where the headers of answers are not shown, they have gone. */
export const SEEN_ALONE: Readonly<Record<string, string>> = {
  "rsp-075": "a session that begins nothing",
};
