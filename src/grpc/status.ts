/**
 * gRPC status: the codes we use, and what becomes of anything thrown.
 *
 * To Envoy the code is a verdict. OK lets an exchange go on unchecked where an answer is still owed, every other code
 * fails it. So nothing that was thrown can turn into OK.
 */

/** https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
export const STATUS_CODE = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;
export type StatusCode = (typeof STATUS_CODE)[keyof typeof STATUS_CODE];

/** How an RPC ended. The message is for whoever reads the peer's log. */
export type Status = { readonly code: StatusCode; readonly message: string };

export const OK: Status = { code: STATUS_CODE.OK, message: "" };

/** Thrown to end an RPC with a status of one's own. */
export class StatusError extends Error implements Status {
  override readonly name = "StatusError";
  readonly code: Exclude<StatusCode, 0>;

  constructor(code: Exclude<StatusCode, 0>, message: string) {
    super(message);
    this.code = code;
  }
}

/** What was thrown, as a status. Only a StatusError speaks for itself: other messages may hold what is not for the peer. */
export function toStatus(thrown: unknown): Status {
  if (thrown instanceof StatusError) return { code: thrown.code, message: thrown.message };
  return { code: STATUS_CODE.INTERNAL, message: "internal error: the server's log has the cause" };
}

/** The trailers that say it. A message is percent-encoded UTF-8, with printable ASCII but `%` as it is. */
export function statusTrailers(status: Status): Record<string, string> {
  const code = String(status.code);
  if (status.message === "") return { "grpc-status": code };
  const message = status.message.toWellFormed().replaceAll(/[^ -$&-~]+/g, encodeURIComponent);
  return { "grpc-status": code, "grpc-message": message };
}
