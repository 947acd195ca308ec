/** What Envoy tells us, one variant for each of the `request` oneof of ProcessingRequest; names as in the proto. */
import type { Identity } from "../identity/identity.ts";
import type { HeaderChanges, HeaderList } from "../mcp/headers.ts";

export type RequestHeadersEvent = {
  readonly kind: "requestHeaders";
  readonly headers: HeaderList;
  /** No body follows. */
  readonly endOfStream: boolean;
  /** They go on as they came, whatever is answered: what they may not say has to be refused. */
  readonly isFixed: boolean;
  readonly identity: Identity;
  /** What becomes of the headers that say who somebody is: a server must not believe what nobody has checked. */
  readonly forwarded: HeaderChanges;
  /** The attribute `xds.route_name`. */
  readonly route: string | undefined;
};

export type RequestEvent =
  | RequestHeadersEvent
  /** BUFFERED: all of it, whatever `endOfStream` says (it is false when trailers follow). */
  | { readonly kind: "requestBody"; readonly body: Uint8Array; readonly endOfStream: boolean }
  | { readonly kind: "requestTrailers" };

export type ResponseHeadersEvent = {
  readonly kind: "responseHeaders";
  readonly headers: HeaderList;
  readonly endOfStream: boolean;
  /** The attribute `response.code_details`: `via_upstream` for an answer of the server. */
  readonly codeDetails: string | undefined;
};

export type ResponseBodyEvent = {
  readonly kind: "responseBody";
  readonly body: Uint8Array;
  readonly endOfStream: boolean;
};

export type ResponseEvent = ResponseHeadersEvent | ResponseBodyEvent | { readonly kind: "responseTrailers" };

export type ExchangeEvent = RequestEvent | ResponseEvent;
