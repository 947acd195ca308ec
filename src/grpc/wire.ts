/** Protobuf to events and replies to protobuf: the only file that knows both sides. */
import { forwardedHeaders, identify } from "../core/identity/identify.ts";
import type { Peer, Trust } from "../core/identity/identify.ts";
import type { Claim, Identity } from "../core/identity/identity.ts";
import type { HeaderChanges } from "../core/mcp/headers.ts";
import type { ExchangeEvent, RequestHeadersEvent } from "../core/exchange/event.ts";
import type { Piece } from "../core/exchange/full-duplex.ts";
import type { Metadata } from "../core/exchange/metadata.ts";
import type { ParsedRequest } from "../core/exchange/parsed-request.ts";
import type { Reply } from "../core/exchange/reply.ts";
import type { WithoutHeaders } from "../core/exchange/skipped-headers.ts";
import type { HeaderList } from "../core/mcp/headers.ts";
import { assertNever } from "../core/result.ts";
import { attribute, flag, text } from "./attributes.ts";
import type { Metadata as EnvoyMetadata } from "./lazy.ts";
import { foundMessage } from "./native-mcp.ts";
import type { Profile } from "./profile.ts";
import { BODY_SEND_MODE, encodeProcessingResponse, HEADER_SEND_MODE } from "./protos.ts";
import type { HeaderMutation, ProcessingRequest, ProcessingResponse, Sendable } from "./protos.ts";
import { skippedAnswerHeaders, skippedHeaders } from "./skipped-headers.ts";
import { toClaims } from "./struct.ts";
import type { Struct } from "./struct.ts";

const JWT_AUTHN = "envoy.filters.http.jwt_authn";

/** `jwtPayloadKey`: what `payload_in_metadata` of Envoy's `jwt_authn` says. */
export type WireOptions = { readonly jwtPayloadKey: string; readonly trust: Trust };

/**
 * Undefined for a kind of message that is not in our protos: a later Envoy may send one. `isAnswerBegun`: something of the
 * answer has come before.
 */
export function toEvent(
  request: ProcessingRequest,
  { profile, isAnswerBegun }: { readonly profile: Profile; readonly isAnswerBegun: boolean },
  options: WireOptions,
): ExchangeEvent | WithoutHeaders | ParsedRequest | undefined {
  switch (request.request) {
    case "requestHeaders": {
      const { headers, endOfStream } = request.requestHeaders;
      const event = requestHeaders(request, headers?.headers ?? [], { endOfStream, isFixed: false }, options);
      if (profile.requests !== "parsed") return event;
      return { kind: "parsedRequest", headers: event, message: foundMessage(request) };
    }
    case "requestBody": {
      const { body, endOfStream } = request.requestBody;
      if (profile.requests !== "lean") return { kind: "requestBody", body, endOfStream };
      const skipped = { endOfStream: false, isFixed: true } as const;
      return {
        kind: "wholeRequest",
        headers: requestHeaders(request, skippedHeaders(request), skipped, options),
        body,
      };
    }
    case "requestTrailers":
    case "responseTrailers":
      return { kind: request.request };
    case "responseHeaders": {
      const { headers, endOfStream } = request.responseHeaders;
      const codeDetails = text(attribute(request, "response.code_details"));
      return { kind: "responseHeaders", headers: headers?.headers ?? [], endOfStream, codeDetails };
    }
    case "responseBody": {
      const { body, endOfStream } = request.responseBody;
      const event = { kind: "responseBody", body, endOfStream } as const;
      const headers = isAnswerBegun || profile.answers !== "streamed" ? undefined : skippedAnswerHeaders(request);
      return headers === undefined ? event : { kind: "answerStart", headers, body: event };
    }
    case undefined:
      return undefined;
    default:
      return assertNever(request);
  }
}

function requestHeaders(
  request: ProcessingRequest,
  headers: HeaderList,
  more: Pick<RequestHeadersEvent, "endOfStream" | "isFixed">,
  options: WireOptions,
): RequestHeadersEvent {
  return {
    kind: "requestHeaders",
    headers,
    ...more,
    identity: toIdentity(request, headers, options),
    forwarded: forwardedHeaders(headers, options.trust),
    route: text(attribute(request, "xds.route_name")),
  };
}

function toIdentity(request: ProcessingRequest, headers: HeaderList, options: WireOptions): Identity {
  const said = (name: string): string | undefined => text(attribute(request, name));
  const uriSan = said("connection.uri_san_peer_certificate");
  const peer: Peer = {
    mtls: flag(attribute(request, "connection.mtls")) === true,
    certificateValid: flag(attribute(request, "connection.peer_certificate_valid")),
    uriSans: uriSan === undefined || uriSan === "" ? [] : [uriSan],
    dnsSan: said("connection.dns_san_peer_certificate"),
    subject: said("connection.subject_peer_certificate"),
    istioPrincipal: said('filter_state["io.istio.peer_principal"]'),
  };
  return identify({ peer, headers, jwtPayload: jwtPayload(request.metadataContext, options) }, options.trust);
}

/** What `jwt_authn` has left of a token that it has verified. */
export function jwtPayload(
  metadata: EnvoyMetadata | null,
  { jwtPayloadKey }: WireOptions,
): { readonly [name: string]: Claim } | undefined {
  const payload = metadata?.filterMetadata[JWT_AUTHN]?.fields[jwtPayloadKey];
  return payload?.kind === "structValue" ? toClaims(payload.structValue) : undefined;
}

/**
 * STREAMED for the answer's body, and its trailers: held bytes must not wait for an end that is never told. Where STREAMED
 * is configured, Envoy has taken `content-length` away itself.
 */
const READ_BODY = {
  requestHeaderMode: HEADER_SEND_MODE.SEND,
  responseHeaderMode: HEADER_SEND_MODE.SEND,
  requestBodyMode: BODY_SEND_MODE.BUFFERED,
  responseBodyMode: BODY_SEND_MODE.STREAMED,
  requestTrailerMode: HEADER_SEND_MODE.SKIP,
  responseTrailerMode: HEADER_SEND_MODE.SEND,
} as const;

function responseHeaders(readBody: boolean, remove: readonly string[]): Uint8Array {
  const removeHeaders = readBody ? ["content-length", ...remove] : remove;
  return encodeProcessingResponse({
    responseHeaders: removeHeaders.length === 0 ? {} : { response: { headerMutation: { removeHeaders } } },
    ...(readBody ? { modeOverride: READ_BODY } : {}),
  });
}

/** What is said most is encoded once. */
const ASK_FOR_BODY = responseHeaders(true, []);
const CONTINUE = {
  requestHeaders: encodeProcessingResponse({ requestHeaders: {} }),
  responseHeaders: responseHeaders(false, []),
  responseBody: encodeProcessingResponse({ responseBody: {} }),
  requestTrailers: encodeProcessingResponse({ requestTrailers: {} }),
  responseTrailers: encodeProcessingResponse({ responseTrailers: {} }),
};
const CLEAR_BODY = encodeProcessingResponse({ responseBody: { response: { bodyMutation: { clearBody: true } } } });

/** `profile`: how answers come to be shown to us. */
export function encodeReply(reply: Reply | Piece, profile: Profile): Uint8Array {
  switch (reply.kind) {
    case "requestHeaders":
      if ("awaits" in reply) return CONTINUE.requestHeaders;
      return encodeProcessingResponse({
        requestHeaders: { response: { ...mutation(reply.changes) } },
        dynamicMetadata: toStruct(reply.metadata),
      });
    case "requestBody":
      return encodeProcessingResponse({
        requestBody: {
          response: {
            ...mutation(reply.changes),
            ...(reply.body === undefined ? {} : { bodyMutation: { body: reply.body } }),
          },
        },
        dynamicMetadata: toStruct(reply.metadata),
      });
    case "responseHeaders": {
      const asks = reply.readBody && profile.answers === "override";
      if (reply.remove.length > 0) return responseHeaders(asks, reply.remove);
      return asks ? ASK_FOR_BODY : CONTINUE.responseHeaders;
    }
    case "requestPiece":
      return encodeProcessingResponse({ requestBody: pieceOf(reply) });
    case "responsePiece":
      return encodeProcessingResponse({ responseBody: pieceOf(reply) });
    case "responseBody":
      return encodeResponseBody(reply.body);
    case "requestTrailers":
    case "responseTrailers":
      return CONTINUE[reply.kind];
    case "immediateResponse":
      return encodeProcessingResponse(immediateResponse(reply));
    default:
      return assertNever(reply);
  }
}

const pieceOf = ({ body, endOfStream }: Piece) => ({
  response: { bodyMutation: { streamedResponse: { body, endOfStream } } },
});

function encodeResponseBody(body: Uint8Array | undefined): Uint8Array {
  if (body === undefined) return CONTINUE.responseBody;
  if (body.length === 0) return CLEAR_BODY;
  return encodeProcessingResponse({ responseBody: { response: { bodyMutation: { body } } } });
}

function immediateResponse({ reply, details, metadata }: Reply & { kind: "immediateResponse" }): ProcessingResponse {
  const { status, headers, body } = reply;
  return {
    immediateResponse: { status: { code: status }, headers: { setHeaders: headers.map(toHeader) }, body, details },
    ...(metadata === undefined ? {} : { dynamicMetadata: toStruct(metadata) }),
  };
}

function mutation({ set, remove }: HeaderChanges): { headerMutation?: HeaderMutation } {
  if (set.length === 0 && remove.length === 0) return {};
  return { headerMutation: { setHeaders: set.map(toHeader), removeHeaders: remove } };
}

const toHeader = ([key, value]: readonly [string, string]) => ({
  header: { key, rawValue: Buffer.from(value, "latin1") },
});

/** Into the namespace `toolgate`. */
const toStruct = (metadata: Metadata): Sendable<Struct> => ({
  fields: { toolgate: { kind: "structValue", structValue: fieldsOf(metadata) } },
});

/** Empty values are left out. */
export function fieldsOf(metadata: Metadata): Sendable<Struct> {
  const fields: Record<string, { kind: "stringValue"; stringValue: string }> = {};
  for (const [name, stringValue] of Object.entries(metadata)) {
    if (stringValue !== "") fields[name] = { kind: "stringValue", stringValue };
  }
  return { fields };
}
