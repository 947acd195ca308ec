/** `toolgate doctor` asks a real Envoy what it has, in the words in which Envoy says it. */
import { expect, test } from "vitest";
import { runDoctor } from "../../src/cli/doctor.ts";
import { freePort } from "./everything.ts";
import { extProcFilter, Gateway, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { createIssuer } from "./tokens.ts";

async function doctorOf(change: (config: Node) => void) {
  const [extProcPort, upstreamPort] = [await freePort(), await freePort()];
  const { keySet } = await createIssuer();
  await using gateway = await Gateway.start({ extProcPort, upstreamPort, keySet, change });
  const { adminUrl } = gateway;
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
  test("has nothing to say of the shipped configuration", async () => {
    expect(await doctorOf(() => {})).toEqual({ code: 0, lines: ["1 filter that asks Toolgate: 0 problems"] });
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
