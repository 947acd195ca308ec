/** `CheckRequest` of ext_authz to what is checked, and the verdict to a `CheckResponse`. */
import { X509Certificate } from "node:crypto";
import type { Checked, CheckedBody } from "../core/exchange/check.ts";
import type { RequestHeadersEvent } from "../core/exchange/event.ts";
import { forwardedHeaders, identify } from "../core/identity/identify.ts";
import type { Peer } from "../core/identity/identify.ts";
import { apart } from "../core/mcp/headers.ts";
import type { HeaderList } from "../core/mcp/headers.ts";
import { assertNever } from "../core/result.ts";
import { STATUS_CODE, StatusError } from "./status.ts";
import { namesIn } from "./certificate-names.ts";
import { encodeCheckResponse } from "./protos.ts";
import type { CheckedRequest, CheckRequest } from "./protos.ts";
import { fieldsOf, jwtPayload } from "./wire.ts";
import type { WireOptions } from "./wire.ts";

export type Question = {
  readonly headers: RequestHeadersEvent;
  readonly body: CheckedBody;
  readonly requestId: string | undefined;
};

/** Set per route (`check_settings.context_extensions`): ext_authz is not told the name of Envoy's route. */
const ROUTE = "route";
/** Envoy has cut the body. */
const PARTIAL = "x-envoy-auth-partial-body";

/** Throws where Envoy has left out what a decision needs. */
export function toQuestion({ attributes }: CheckRequest, options: WireOptions): Question {
  const http = attributes?.request?.http;
  if (attributes === null || http === null || http === undefined)
    throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, "a CheckRequest without an HTTP request");
  const headers = headersOf(http);
  const peer = peerOf(attributes.source);
  const identity = identify(
    { peer, headers, jwtPayload: jwtPayload(attributes.metadataContext, options) },
    options.trust,
  );
  const body = bodyOf(http, headers);
  return {
    headers: {
      kind: "requestHeaders",
      headers,
      endOfStream: body === "none",
      isFixed: false,
      identity,
      forwarded: forwardedHeaders(headers, options.trust),
      route: attributes.contextExtensions[ROUTE],
    },
    body,
    requestId: http.id === "" ? undefined : http.id,
  };
}

/** With the pseudo headers, which Envoy puts among them or beside them. In the map, those that stand twice are one. */
function headersOf({ headerMap, headers, method, path, host, scheme }: CheckedRequest): HeaderList {
  const list = headerMap === null ? Object.entries(headers).flatMap(apart) : headerMap.headers;
  const named = list.filter(([name]) => !name.startsWith(":"));
  return [[":method", method], [":path", path], [":authority", host], [":scheme", scheme], ...named];
}

/** Envoy cuts a body that is a little too long, over HTTP/2 without a word that a filter could act on (seen on 1.36 and 1.40). */
function bodyOf({ method, rawBody, body, size }: CheckedRequest, headers: HeaderList): CheckedBody {
  const isText = rawBody.length === 0 && body !== "";
  const bytes = isText ? Buffer.from(body) : rawBody;
  const isCut = headers.some(([name, value]) => name === PARTIAL && value.toLowerCase() !== "false");
  if (bytes.length > 0) return isCut || Number(size.toString()) > bytes.length ? "cut" : { bytes, isText };
  const length = headers.find(([name]) => name === "content-length")?.[1];
  return method === "POST" && length !== "0" ? "unseen" : "none";
}

/** Of the two that Envoy tells, the certificate says all (`include_peer_certificate`), and the principal one name. */
function peerOf(source: NonNullable<CheckRequest["attributes"]>["source"]): Peer {
  const { principal = "", certificate = "" } = source ?? {};
  const names = certificate === "" ? namesOfPrincipal(principal) : namesOfCertificate(certificate);
  const mtls = principal !== "" || certificate !== "";
  return { mtls, certificateValid: undefined, istioPrincipal: undefined, ...names };
}

type Names = Pick<Peer, "uriSans" | "dnsSan" | "subject">;

/** A URI, else a DNS name, else a subject: only the last one has an equals sign, and only the first a colon before it. */
function namesOfPrincipal(principal: string): Names {
  const nothing: Names = { uriSans: [], dnsSan: undefined, subject: undefined };
  if (principal === "") return nothing;
  if (/^[a-z][a-z0-9+.-]*:/i.test(principal)) return { ...nothing, uriSans: [principal] };
  return principal.includes("=") ? { ...nothing, subject: principal } : { ...nothing, dnsSan: principal };
}

/** Whoever has a name that could be misread has two. */
function namesOfCertificate(pem: string): Names {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(decodeURIComponent(pem));
  } catch {
    throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, "source.certificate is no certificate");
  }
  const names = namesIn(certificate);
  if (names === undefined) return { uriSans: ["", ""], dnsSan: undefined, subject: undefined };
  return { uriSans: names.uris, dnsSan: names.dnsNames[0], subject: names.subject };
}

export function encodeVerdict(checked: Checked): Uint8Array {
  const dynamicMetadata = fieldsOf(checked.metadata);
  switch (checked.verdict) {
    case "allow": {
      const { set, remove } = checked.changes;
      const okResponse = { headers: set.map(toHeader), headersToRemove: remove };
      return encodeCheckResponse({ status: { code: STATUS_CODE.OK }, okResponse, dynamicMetadata });
    }
    case "deny": {
      const { status, headers, body } = checked.reply;
      const deniedResponse = {
        status: { code: status },
        headers: headers.map(toHeader),
        body: Buffer.from(body).toString(),
      };
      return encodeCheckResponse({ status: { code: STATUS_CODE.PERMISSION_DENIED }, deniedResponse, dynamicMetadata });
    }
    default:
      return assertNever(checked);
  }
}

const toHeader = ([key, value]: readonly [string, string]) => ({ header: { key, value } });
