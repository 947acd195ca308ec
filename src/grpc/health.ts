/**
 * grpc.health.v1.Health, for kubelets, Envoy's health checks and grpc-health-probe.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
import type { Handler, Rpc } from "./rpc.ts";
import { decodeHealthCheckRequest, encodeHealthCheckResponse, SERVING_STATUS } from "./protos.ts";
import type { ServingStatus } from "./protos.ts";
import { OK, STATUS_CODE, StatusError } from "./status.ts";

export type Health = {
  /** By path, for `createGrpcServer`. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Says it of every service, and tells whoever watches. */
  set(status: "SERVING" | "NOT_SERVING"): void;
};

/** Health of the whole server (`""`) and of each of `services`. It begins with NOT_SERVING. */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(["", ...services]);
  const watchers = new Set<Rpc>();
  let status: ServingStatus = SERVING_STATUS.NOT_SERVING;

  const check: Handler = (rpc) =>
    onRequest(rpc, (service) => {
      if (!known.has(service)) throw new StatusError(STATUS_CODE.NOT_FOUND, `this server has no service "${service}"`);
      rpc.write(encodeHealthCheckResponse({ status }));
      rpc.end(OK);
    });

  const watch: Handler = (rpc) =>
    onRequest(
      rpc,
      (service) => {
        // Not an error here: services may come later, says the specification. Ours do not.
        if (known.has(service)) watchers.add(rpc);
        rpc.write(encodeHealthCheckResponse({ status: known.has(service) ? status : SERVING_STATUS.SERVICE_UNKNOWN }));
      },
      () => watchers.delete(rpc),
    );

  return {
    handlers: new Map([
      ["/grpc.health.v1.Health/Check", check],
      ["/grpc.health.v1.Health/Watch", watch],
    ]),
    set(name) {
      if (status === SERVING_STATUS[name]) return;
      status = SERVING_STATUS[name];
      const message = encodeHealthCheckResponse({ status });
      for (const rpc of watchers) {
        rpc.write(message);
        // Who waits for more would hold the server open: NOT_SERVING comes at the end.
        if (name === "NOT_SERVING") rpc.end({ code: STATUS_CODE.UNAVAILABLE, message: "the server is stopping" });
      }
    },
  };
}

/** Both methods take exactly one message. */
function onRequest(rpc: Rpc, answer: (service: string) => void, closed: () => void = () => {}): void {
  let request: Uint8Array | undefined;
  rpc.frames({
    message(bytes) {
      if (request !== undefined)
        throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, "one message was expected, and a second came");
      request = bytes;
      answer(decodeHealthCheckRequest(bytes).service);
    },
    end() {
      if (request === undefined)
        throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, "one message was expected, and none came");
    },
    closed,
  });
}
