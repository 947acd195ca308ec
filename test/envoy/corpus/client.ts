/** What a client of the ring is: it sends one request as it is, and says what came back. */
import type { HeaderList } from "../../../src/core/mcp/headers.ts";

export type Sent = {
  /** The pseudo headers first, then every other one in its order. */
  readonly headers: HeaderList;
  /** Empty: the headers end the request. */
  readonly body: Uint8Array;
  /** How many bytes of the body go in one chunk or frame; all of them without it. */
  readonly chunkBytes: number | undefined;
  readonly trailers: HeaderList | undefined;
  /** The body never ends: what the client waits for before it leaves. */
  readonly leaveAfter: (() => Promise<unknown>) | undefined;
  /** The answer never ends: the client leaves when it has so many bytes of it. */
  readonly enoughBytes: number | undefined;
};

export type Received = {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Whether it came to its end. */
  readonly isWhole: boolean;
};

/** Where the gateway listens, and what the client shows it. */
export type Target = {
  readonly port: number;
  /** PEM texts: whom the client trusts and, where it has one, its certificate. */
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
};

/** Resolves with undefined when the connection is closed without an answer. */
export type Client = (target: Target, sent: Sent) => Promise<Received | undefined>;

/** Far beyond what anything takes: it only turns a ring that would hang into cases that fail. */
export const PATIENCE_MS = 30_000;
