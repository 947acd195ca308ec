/** `toolgate doctor` asks a real Envoy what it has, in the words in which Envoy says it. */
import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseDocument } from "yaml";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { runDoctor } from "../../src/cli/doctor.ts";
import { freePort } from "./free-port.ts";
import { extProcFilter, Gateway, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { Program } from "./program.ts";
import { describeWithEnvoy, ENVOY_PATH } from "./real-envoy.ts";
import { createIssuer } from "./tokens.ts";

const FOLDER = join(PACKAGE_ROOT, "envoy-config");
/** Not those that name certificates, which are not there. */
const FILES = readdirSync(FOLDER).filter((file) => file !== "mtls.yaml");

async function doctorOf(change: (config: Node) => void) {
  const [extProcPort, upstreamPort] = [await freePort(), await freePort()];
  const { keySet } = await createIssuer();
  await using gateway = await Gateway.start({ extProcPort, upstreamPort, keySet, change });
  return await askDoctor(gateway.adminUrl);
}

async function askDoctor(adminUrl: string) {
  let printed = "";
  const out = { write: (text: string) => (printed += text) };
  const code = await runDoctor([], { envoyAdmin: adminUrl, cluster: "toolgate" }, out);
  return { code, lines: printed.trimEnd().replaceAll(adminUrl, "ENVOY").split("\n") };
}

/** To the same server, without the filter. */
function addWayAround(config: Node): void {
  const { virtual_hosts: hosts } = manager(config)["route_config"] as { readonly virtual_hosts: { routes: Node[] }[] };
  hosts[0]?.routes.push({ match: { prefix: "/" }, route: { cluster: "mcp_server" } });
}

describeWithEnvoy("toolgate doctor, of a running Envoy", () => {
  test.each(FILES)("has nothing to say of %s", async (file) => {
    const folder = await mkdtemp(join(tmpdir(), "toolgate-doctor-"));
    onTestFinished(async () => rm(folder, { recursive: true, force: true }));
    const address = join(folder, "admin");
    const config = parseDocument(await readFile(join(FOLDER, file), "utf8"));
    config.setIn(["static_resources", "listeners", 0, "address", "socket_address", "port_value"], 0);
    config.setIn(["admin"], { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } });
    const args = [
      "--config-yaml",
      JSON.stringify(config.toJS()),
      "--admin-address-path",
      address,
      "--disable-hot-restart",
    ];
    await using envoy = new Program({ name: "Envoy", command: ENVOY_PATH, args });
    const adminUrl = await envoy.until("its configuration", async () => {
      const found = await readFile(address, "utf8").catch(() => "");
      const ready = await fetch(`http://${found}/ready`).catch(() => undefined);
      return ready?.status === 200 ? `http://${found}` : undefined;
    });
    expect(await askDoctor(adminUrl)).toEqual({ code: 0, lines: ["1 filter that asks Toolgate: 0 problems"] });
  });

  test("finds a filter that fails open, and a route past it", async () => {
    const { code, lines } = await doctorOf((config) => {
      extProcFilter(config)["failure_mode_allow"] = true;
      addWayAround(config);
    });
    expect(lines).toEqual([
      expect.stringMatching(/^ENVOY: configs\[\d\]\.static_listeners\[0\]\..*\.failure_mode_allow: set it to false/),
      expect.stringMatching(
        /^ENVOY: configs\[\d\]\.static_listeners\[0\]\..*\.routes\[1\]: turn Toolgate's filter on here/,
      ),
      "1 filter that asks Toolgate: 2 problems",
    ]);
    expect(code).toBe(1);
  });
});
