/** Spans to a collector with TLS, whose certificate is of a CA of its operator's own. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { TlsOptions } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Authority } from "../../envoy/certificates.ts";

const SCRIPT = fileURLToPath(import.meta.resolve("./send-span.ts"));

let authority: Authority;
let tls: TlsOptions;
let folder: string;
beforeAll(async () => {
  authority = await Authority.create();
  tls = await authority.issue("IP:127.0.0.1");
  folder = await mkdtemp(join(tmpdir(), "toolgate-otlp-"));
  await writeFile(at("ca.pem"), authority.cert);
  const client = await authority.issue();
  await writeFile(at("client.pem"), client.cert);
  await writeFile(at("client-key.pem"), client.key);
});
afterAll(async () => {
  await authority[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);

let server: Server | undefined;
/** The spans that have come. */
let came: Buffer[] = [];
afterEach(async () => {
  if (server === undefined) return;
  const closed = once(server, "close");
  server.close();
  await closed;
  server = undefined;
  came = [];
});

const COLLECTORS = {
  http: (options: TlsOptions): Server =>
    createHttpsServer(options, (request, response) => {
      const read = async (): Promise<void> => {
        came.push(await buffer(request));
        response.writeHead(200, { connection: "close" }).end();
      };
      void read();
    }),
  grpc: (options: TlsOptions): Server =>
    createSecureServer(options).on("stream", (stream) => {
      const read = async (): Promise<void> => {
        came.push(await buffer(stream));
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.alloc(5));
      };
      void read();
    }),
};
type Protocol = keyof typeof COLLECTORS;

async function listen(protocol: Protocol, options: TlsOptions = {}): Promise<number> {
  server = COLLECTORS[protocol]({ ...tls, ...options });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

const run = promisify(execFile);

/** What a process says that has this in its environment. */
async function send(protocol: Protocol, endpoint: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await run(process.execPath, [SCRIPT, protocol, endpoint], { env: { ...process.env, ...env } });
  return stdout;
}

describe.each(["http", "grpc"] as const)("over https, with OTLP over %s", (protocol) => {
  test("spans reach a collector whose CA is in NODE_EXTRA_CA_CERTS", async () => {
    const port = await listen(protocol);
    expect(await send(protocol, `https://127.0.0.1:${port}`, { NODE_EXTRA_CA_CERTS: at("ca.pem") })).toBe("taken");
    expect(came.map((body) => body.includes("tools/call echo"))).toEqual([true]);
  });

  test("nothing is sent to a collector of a CA that nobody has named, and what is said is why", async () => {
    const port = await listen(protocol);
    expect(await send(protocol, `https://127.0.0.1:${port}`)).toContain("unable to verify the first certificate");
    expect(came).toEqual([]);
  });

  test("nothing is sent to a collector with a certificate of another host", async () => {
    const port = await listen(protocol, await authority.issue("DNS:collector.example"));
    const said = await send(protocol, `https://127.0.0.1:${port}`, { NODE_EXTRA_CA_CERTS: at("ca.pem") });
    expect(said).toContain("does not match certificate's altnames");
    expect(came).toEqual([]);
  });
});

test("over HTTP the CA, and a certificate of the client's, can also be given as OpenTelemetry's exporters take them", async () => {
  const port = await listen("http", { ca: authority.cert, requestCert: true, rejectUnauthorized: true });
  const ca = { OTEL_EXPORTER_OTLP_CERTIFICATE: at("ca.pem") };
  const client = {
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: at("client.pem"),
    OTEL_EXPORTER_OTLP_CLIENT_KEY: at("client-key.pem"),
  };
  expect(await send("http", `https://127.0.0.1:${port}`, { ...ca, ...client })).toBe("taken");
  expect(await send("http", `https://127.0.0.1:${port}`, ca)).not.toBe("taken");
  expect(came).toHaveLength(1);
});
