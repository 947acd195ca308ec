import type { EventEmitter } from "node:events";
import * as grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { createHealth } from "../../src/grpc/health.ts";
import type { Health } from "../../src/grpc/health.ts";
import { SERVING_STATUS, decodeHealthCheckResponse, encodeHealthCheckRequest } from "../../src/grpc/protos.ts";
import type { HealthCheckRequest, HealthCheckResponse } from "../../src/grpc/protos.ts";
import { createGrpcServer } from "../../src/grpc/server.ts";

const EXT_PROC = "envoy.service.ext_proc.v3.ExternalProcessor";
const CHECK = "/grpc.health.v1.Health/Check";
const WATCH = "/grpc.health.v1.Health/Watch";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(): Promise<{ health: Health; client: grpc.Client }> {
  const health = createHealth([EXT_PROC]);
  const server = createGrpcServer({ handlers: health.handlers, maxMessageBytes: 1_000, onFault: () => {} });
  cleanups.push(() => server.close());
  const bound = await server.listen({ host: "127.0.0.1", port: 0 });
  const target = `127.0.0.1:${"port" in bound ? bound.port : 0}`;
  const client = new grpc.Client(target, grpc.credentials.createInsecure());
  cleanups.push(() => client.close());
  return { health, client };
}

const serialize = (request: HealthCheckRequest): Buffer => Buffer.from(encodeHealthCheckRequest(request));
const deserialize = (bytes: Buffer): HealthCheckResponse => decodeHealthCheckResponse(bytes);

function check(client: grpc.Client, service: string): Promise<number> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(CHECK, serialize, deserialize, { service }, (error, response) =>
      error === null && response !== undefined ? resolve(response.status) : reject(error ?? new Error("no response")),
    );
  });
}

function watch(client: grpc.Client, service: string): { next: () => Promise<number>; cancel: () => void } {
  const call = client.makeServerStreamRequest(WATCH, serialize, deserialize, { service });
  call.on("error", () => {});
  cleanups.push(() => call.cancel());
  const answers = call[Symbol.asyncIterator]() as AsyncIterator<HealthCheckResponse>;
  return {
    next: async () => {
      const answer = await answers.next();
      return answer.done === true ? -1 : answer.value.status;
    },
    cancel: () => call.cancel(),
  };
}

function statusOf(call: EventEmitter): Promise<number> {
  return new Promise((resolve) => void call.once("status", ({ code }: grpc.StatusObject) => resolve(code)));
}

describe("Check", () => {
  test.each(["", EXT_PROC])('follows what is set, for "%s"', async (service) => {
    const { health, client } = await start();
    expect(await check(client, service)).toBe(SERVING_STATUS.NOT_SERVING);
    health.set("SERVING");
    expect(await check(client, service)).toBe(SERVING_STATUS.SERVING);
    health.set("NOT_SERVING");
    expect(await check(client, service)).toBe(SERVING_STATUS.NOT_SERVING);
  });

  test("says NOT_FOUND of a service that is not here", async () => {
    const { client } = await start();
    await expect(check(client, "other.Service")).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
  });

  test("wants one message", async () => {
    const { client } = await start();
    const none = client.makeClientStreamRequest(CHECK, serialize, deserialize, () => {});
    none.on("error", () => {});
    none.end();
    expect(await statusOf(none)).toBe(grpc.status.INVALID_ARGUMENT);
  });
});

describe("Watch", () => {
  test("says what is, and then each change once", async () => {
    const { health, client } = await start();
    const watcher = watch(client, EXT_PROC);
    expect(await watcher.next()).toBe(SERVING_STATUS.NOT_SERVING);
    health.set("NOT_SERVING");
    health.set("SERVING");
    health.set("SERVING");
    health.set("NOT_SERVING");
    expect(await watcher.next()).toBe(SERVING_STATUS.SERVING);
    expect(await watcher.next()).toBe(SERVING_STATUS.NOT_SERVING);
  });

  test("says SERVICE_UNKNOWN of a service that is not here, and stays open", async () => {
    const { health, client } = await start();
    const other = watch(client, "other.Service");
    expect(await other.next()).toBe(SERVING_STATUS.SERVICE_UNKNOWN);
    health.set("SERVING");
    // Nothing more comes for it: the next answer on this connection is the one to another watcher.
    const next = other.next();
    expect(await watch(client, "").next()).toBe(SERVING_STATUS.SERVING);
    other.cancel();
    await expect(next).rejects.toMatchObject({ code: grpc.status.CANCELLED });
  });

  test("is refused a second message", async () => {
    const { client } = await start();
    const call = client.makeBidiStreamRequest(WATCH, serialize, deserialize);
    call.on("error", () => {});
    call.resume();
    call.write({ service: "" });
    call.write({ service: "" });
    expect(await statusOf(call)).toBe(grpc.status.INVALID_ARGUMENT);
  });
});
