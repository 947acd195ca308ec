/** What a property is asked about: plain values, so that a case that failed can be written to a file and read again. */
import type { HeaderList } from "../../src/core/mcp/headers.ts";
import type { CallerName } from "./world.ts";

/** What a client sends. */
export type RequestCase = {
  readonly caller: CallerName;
  readonly headers: HeaderList;
  /** Empty: the headers end the request. */
  readonly body: Uint8Array;
};

/** What a server answers to it. */
export type AnswerCase = {
  readonly request: RequestCase;
  /** Beginning with `:status`. */
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Where to cut it: for `cutAt`. */
  readonly cuts: readonly number[];
  /** With limits so small that it may reach them. */
  readonly isNarrow?: boolean;
  /** Texts in the body that the caller must not see, where the generator knows them. */
  readonly secrets: readonly { readonly kind: string; readonly mark: string }[];
};
