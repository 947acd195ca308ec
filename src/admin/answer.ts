/** What a page of the admin port answers. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** `headers` beside those that every answer has. */
export type Answer = {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

/** `stream` has the response to itself: it answers when it wants, and for as long as it wants. */
export type Page = {
  readonly about: string;
} & (
  | { answer(query: URLSearchParams, request: IncomingMessage): Answer | Promise<Answer> }
  | { stream(query: URLSearchParams, response: ServerResponse): Answer | undefined }
);

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

export const text = (status: number, body: string, type = TEXT): Answer => ({ status, type, body });

export const json = (status: number, value: unknown): Answer => ({
  status,
  type: JSON_TYPE,
  body: `${JSON.stringify(value, undefined, 2)}\n`,
});
