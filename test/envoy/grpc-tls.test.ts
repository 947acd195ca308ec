/** Mutual TLS between Envoy and Toolgate: only an Envoy that is named may ask, and a renewal on either side costs no call. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Canary } from "./canary.ts";
import { Authority } from "./certificates.ts";
import type { Certificate } from "./certificates.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const ENVOY = "spiffe://cluster.local/ns/gateway/sa/envoy";

let canary: Canary;
let authority: Authority;
let folder: string;

const put = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return path;
};

/** As `toolgate` is in the configuration of Envoy, with TLS; `client` undefined: without a certificate. */
const overTls =
  (client: Certificate | undefined) =>
  (config: Node): void => {
    const { clusters } = config["static_resources"] as { clusters: Node[] };
    const cluster = clusters.find(({ name }) => name === "toolgate");
    if (cluster === undefined) throw new Error("there is no cluster toolgate");
    const own = client && {
      tls_certificates: [
        { certificate_chain: { inline_string: client.cert }, private_key: { inline_string: client.key } },
      ],
    };
    cluster["transport_socket"] = {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context: {
          ...own,
          alpn_protocols: ["h2"],
          validation_context: { trusted_ca: { inline_string: authority.cert } },
        },
      },
    };
  };

async function start(client: Certificate | undefined): Promise<Stack> {
  const server = await authority.issue("IP:127.0.0.1");
  const [cert, key, ca] = [
    await put("cert.pem", server.cert),
    await put("key.pem", server.key),
    await put("ca.pem", authority.cert),
  ];
  const flags = ["--tls-cert", cert, "--tls-key", key, "--tls-client-ca", ca, "--tls-client-names", ENVOY];
  return startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port, flags, change: overTls(client) });
}

describeWithEnvoy("mutual TLS between Envoy and Toolgate", () => {
  beforeAll(async () => {
    canary = await Canary.start();
    authority = await Authority.create();
    folder = await mkdtemp(join(tmpdir(), "toolgate-grpc-tls-"));
  });
  afterAll(async () => {
    await authority[Symbol.asyncDispose]();
    await canary[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test("lets the Envoy that is named ask, also after a renewal", async () => {
    await using stack = await start(await authority.issue(`URI:${ENVOY}`));
    const call = async (): Promise<string> =>
      (await ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("allowed-one") })).text;
    expect(await call()).toContain("done: allowed-one");
    const next = await authority.issue("IP:127.0.0.1");
    await put("key.pem", next.key);
    await put("cert.pem", next.cert);
    const { log, program } = { log: () => stack.toolgate.log, program: stack.toolgate.program };
    await program.until("new certificates", () => log().find(({ msg }) => msg === "certificates have changed"));
    expect(await call()).toContain("done: allowed-one");
    expect(await stack.toolgate.admin("/metrics")).toMatch(/^toolgate_certificate_expiry_timestamp_seconds 1\d{9}/m);
  });

  test.each<readonly [string, () => Promise<Certificate | undefined>]>([
    ["no certificate", async () => undefined],
    ["another name", async () => authority.issue("URI:spiffe://cluster.local/ns/agents/sa/reader")],
  ])("lets nobody ask with %s, and then nothing passes", async (_, client) => {
    await using stack = await start(await client());
    const reply = await ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("allowed-one") });
    expect(reply.status).toBe(503);
    expect(canary.executed.filter(({ method }) => method !== "tools/call")).toEqual([]);
    expect(await stack.toolgate.admin("/metrics")).toMatch(/^toolgate_clients_refused_total [1-9]/m);
    expect(stack.toolgate.decisions).toEqual([]);
  });
});
