/**
 * What we tell Envoy, one variant for each of the `response` oneof of ProcessingResponse. A field exists only where Envoy
 * honours it, so that "silently ignored" does not compile; and what lets a request go on needs a permit.
 */
import type { LocalReply } from "../mcp/local-reply.ts";
import type { Permit } from "../policy/decide.ts";
import type { HeaderChanges } from "../mcp/headers.ts";
import type { Metadata } from "./metadata.ts";

export type Reply =
  /** Nothing goes on before the body was seen: BUFFERED holds the headers until the body's answer. */
  | { readonly kind: "requestHeaders"; readonly awaits: "requestBody" }
  | {
      readonly kind: "requestHeaders";
      readonly permit: Permit;
      readonly changes: HeaderChanges;
      readonly metadata: Metadata;
    }
  | {
      readonly kind: "requestBody";
      readonly permit: Permit;
      /** The canonical form, when the body was not that already. */
      readonly body: Uint8Array | undefined;
      readonly changes: HeaderChanges;
      readonly metadata: Metadata;
    }
  | { readonly kind: "requestTrailers" }
  /**
   * `readBody`: the mode override to STREAMED, with `content-length` removed since bytes may be held or taken out.
   * `remove`: headers that the client does not get.
   */
  | { readonly kind: "responseHeaders"; readonly readBody: boolean; readonly remove: readonly string[] }
  /** `body` undefined: as it came. Empty: held or taken out. */
  | { readonly kind: "responseBody"; readonly body: Uint8Array | undefined }
  | { readonly kind: "responseTrailers" }
  | {
      readonly kind: "immediateResponse";
      readonly reply: LocalReply;
      readonly details: string;
      readonly metadata: Metadata | undefined;
    };
