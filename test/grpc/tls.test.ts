/** TLS on the gRPC port, against a foreign client: who is let in, and what a renewal of certificates costs. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Handler } from "../../src/grpc/rpc.ts";
import { createGrpcServer } from "../../src/grpc/server.ts";
import { OK } from "../../src/grpc/status.ts";
import { loadTls } from "../../src/grpc/tls.ts";
import type { TlsFiles } from "../../src/grpc/tls.ts";
import { Authority } from "../envoy/certificates.ts";
import type { Certificate } from "../envoy/certificates.ts";
import { until } from "../fixtures/until.ts";

const ENVOY = "spiffe://cluster.local/ns/gateway/sa/envoy";
const PATH = "/test.Service/Method";
const POLL_MS = 20;

let authority: Authority;
let stranger: Authority;
let server: Certificate;
let envoy: Certificate;
let folder: string;
beforeAll(async () => {
  authority = await Authority.create();
  stranger = await Authority.create();
  server = await authority.issue("IP:127.0.0.1");
  envoy = await authority.issue(`URI:${ENVOY}`);
  folder = await mkdtemp(join(tmpdir(), "toolgate-tls-"));
});
afterAll(async () => {
  await authority[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const at = (name: string): string => join(folder, name);
/** As a whole, as a renewal does that takes care. */
async function write(name: string, text: string): Promise<void> {
  await writeFile(at(`${name}.new`), text);
  await rename(at(`${name}.new`), at(name));
}
const put = async (certificate: Certificate): Promise<void> => {
  await write("key.pem", certificate.key);
  await write("cert.pem", certificate.cert);
};

const echo: Handler = (rpc) =>
  rpc.frames({ message: (bytes) => rpc.write(bytes), end: () => rpc.end(OK), closed: () => {} });

type Started = { readonly target: string; readonly strangers: string[]; readonly unusable: unknown[]; changed: number };

async function start(names: readonly string[] | "any" = [ENVOY, "envoy.example"]): Promise<Started> {
  await put(server);
  await write("ca.pem", authority.cert);
  const started = { target: "", strangers: [] as string[], unusable: [] as unknown[], changed: 0 };
  const clients = names === "any" ? undefined : { ca: at("ca.pem"), names };
  const tls = loadTls({
    files: { cert: at("cert.pem"), key: at("key.pem"), clients },
    onUnusable: (error) => started.unusable.push(error),
    onChanged: () => (started.changed += 1),
    pollMs: POLL_MS,
  });
  cleanups.push(() => tls[Symbol.dispose]());
  const grpcServer = createGrpcServer({
    handlers: new Map([[PATH, echo]]),
    maxMessageBytes: 1_000,
    onFault: () => {},
    tls,
    onStranger: (why) => started.strangers.push(why),
  });
  cleanups.push(() => grpcServer.close());
  const bound = await grpcServer.listen({ host: "127.0.0.1", port: 0 });
  started.target = `127.0.0.1:${"port" in bound ? bound.port : 0}`;
  return started;
}

const same = (bytes: Buffer): Buffer => bytes;

/** A call that stays open: what is said comes back. */
function open(target: string, client: Certificate | undefined, ca = authority.cert) {
  const credentials = grpc.credentials.createSsl(
    Buffer.from(ca),
    ...((client === undefined ? [] : [Buffer.from(client.key), Buffer.from(client.cert)]) as [Buffer, Buffer] | []),
  );
  const made = new grpc.Client(target, credentials);
  cleanups.push(() => made.close());
  const call = made.makeBidiStreamRequest(PATH, same, same);
  call.on("error", () => {});
  return call;
}

function says(call: ReturnType<typeof open>, word = "hello"): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  call.once("data", (data: Buffer) => resolve(data.toString()));
  call.once("status", ({ code }: grpc.StatusObject) => resolve(`status ${code}`));
  call.write(Buffer.from(word));
  return promise;
}

const UNAVAILABLE = `status ${grpc.status.UNAVAILABLE}`;

describe("with mutual TLS", () => {
  test("an Envoy with one of the names may ask", async () => {
    const { target, strangers } = await start();
    expect(await says(open(target, envoy))).toBe("hello");
    expect(await says(open(target, await authority.issue("DNS:other.example", "DNS:envoy.example")))).toBe("hello");
    // As Istio issues them: all there is stands in the alternative name.
    expect(await says(open(target, await authority.issueTo("/", `URI:${ENVOY}`)))).toBe("hello");
    expect(strangers).toEqual([]);
  });

  test.each<readonly [string, () => Promise<Certificate | undefined>, RegExp]>([
    ["no certificate", async () => undefined, /certificate/i],
    ["a certificate of another CA", async () => stranger.issue(`URI:${ENVOY}`), /./],
    ["a certificate with another name", async () => authority.issue(`URI:${ENVOY}x`), /none of the names/],
    ["a certificate with that name as a part of one", async () => authority.issue("DNS:x.envoy.example"), /none of/],
    ["a certificate without a name", async () => authority.issue(), /none of the names/],
    ["a certificate with nothing in it", async () => authority.issueTo("/"), /none of the names/],
  ])("nobody with %s may", async (_, certificate, why) => {
    const { target, strangers } = await start();
    expect(await says(open(target, await certificate()))).toBe(UNAVAILABLE);
    await until(() => expect(strangers.join()).toMatch(why));
  });

  test("nobody may who does not speak TLS", async () => {
    const { target, strangers } = await start();
    const session = connect(`http://${target}`).on("error", () => {});
    cleanups.push(() => session.destroy());
    await until(() => expect(strangers).not.toEqual([]));
  });
});

test("with TLS alone, whoever can connect may ask", async () => {
  const { target } = await start("any");
  expect(await says(open(target, undefined))).toBe("hello");
});

describe("certificates that change", () => {
  const renewed = async (): Promise<Certificate> => stranger.issue("IP:127.0.0.1");

  test("are used for new connections, and the open ones stay", async () => {
    const started = await start();
    const before = open(started.target, envoy);
    expect(await says(before)).toBe("hello");
    await put(await renewed());
    await until(() => expect(started.changed).toBe(1));
    expect(await says(before, "still here")).toBe("still here");
    expect(await says(open(started.target, envoy, stranger.cert))).toBe("hello");
    expect(await says(open(started.target, envoy))).toBe(UNAVAILABLE);
  });

  test("of clients too: who is signed by the old CA alone is not let in any more", async () => {
    const started = await start();
    await write("ca.pem", stranger.cert);
    await until(() => expect(started.changed).toBe(1));
    expect(await says(open(started.target, envoy))).toBe(UNAVAILABLE);
    expect(await says(open(started.target, await stranger.issue(`URI:${ENVOY}`)))).toBe("hello");
  });

  test("and cannot be used leave those before in use, and are said to be so once", async () => {
    const started = await start();
    await write("key.pem", envoy.key);
    await until(() => expect(started.unusable).toHaveLength(1));
    expect(String(started.unusable[0])).toContain("cannot be used together");
    expect(await says(open(started.target, envoy))).toBe("hello");
    await rm(at("key.pem"));
    await until(() => expect(started.unusable).toHaveLength(2));
    await write("key.pem", server.key);
    expect(started.changed).toBe(0);
  });
});

test("files that cannot be used at the start are an error that names them", async () => {
  await put(server);
  const load = (files: Partial<TlsFiles>) =>
    loadTls({
      files: { cert: at("cert.pem"), key: at("key.pem"), clients: undefined, ...files },
      onUnusable: () => {},
      onChanged: () => {},
    });
  expect(() => load({ cert: at("none.pem") })).toThrow("none.pem");
  await write("other.pem", envoy.key);
  expect(() => load({ key: at("other.pem") })).toThrow("other.pem");
  using tls = load({});
  expect(tls.expiresAtMs()).toBeGreaterThan(Date.now());
});
