/** Whether an ext_authz filter shows Toolgate all that it decides by, and always asks. */
import type { Settings, Surroundings } from "./ext-proc.ts";
import { hiddenHeaders } from "./hidden-headers.ts";
import { JWT_AUTHN } from "./order.ts";
import type { Finding, Place } from "./place.ts";

export function extAuthzFindings(settings: Settings, { certificates, tokens }: Surroundings): readonly Finding[] {
  const allow = settings("failure_mode_allow");
  const timeout = settings("grpc_service").at("timeout");
  const sometimes = settings("filter_enabled");
  const body = settings("with_request_body");
  const certificate = settings("include_peer_certificate");
  const namespaces = settings("metadata_context_namespaces");
  const raw = settings("encode_raw_headers");
  const rows: readonly (readonly [at: Place, isWrong: boolean, message: string])[] = [
    [allow, allow.isTrue, "set it to false: with true, every request passes while Toolgate cannot be asked"],
    [timeout, !timeout.isThere, "set it, to 1s say: Envoy's own 200 ms fail calls on a machine that is busy"],
    [sometimes, sometimes.isThere, "leave it out: what it does not choose passes, and Toolgate is not asked"],
    [body, !body.isThere, "set it: Toolgate is not shown what is called"],
    [
      body.at("allow_partial_message"),
      body.at("allow_partial_message").isTrue,
      "set it to false: a part of a body cannot be judged, and is refused",
    ],
    [
      body.at("pack_as_bytes"),
      body.isThere && !body.at("pack_as_bytes").isTrue,
      "set it to true: Toolgate judges a body as it came, and Envoy sends it as text",
    ],
    [raw, !raw.isTrue, "set it to true: Toolgate judges headers as they came, and Envoy joins those that stand twice"],
    [
      certificate,
      certificates && !certificate.isTrue,
      "set it to true: callers have certificates, and Toolgate sees one name of each",
    ],
    [
      namespaces,
      tokens && !namespaces.texts.includes(JWT_AUTHN),
      `add ${JWT_AUTHN}: callers have tokens that Toolgate is not told of`,
    ],
  ];
  return [
    ...rows.flatMap(([at, isWrong, message]) => (isWrong ? [{ at, message }] : [])),
    ...hiddenHeaders(settings("allowed_headers"), settings("disallowed_headers")),
  ];
}
