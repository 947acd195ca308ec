/** Every official client against every official server: what they get through Envoy and Toolgate is what they get without. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithEnvoy } from "../envoy/real-envoy.ts";
import { startDeployment } from "./deployment.ts";
import type { Deployment } from "./deployment.ts";
import { narrowed } from "./narrow.ts";
import { runMatrix } from "./outcomes.ts";
import type { Matrix, Outcomes } from "./outcomes.ts";
import { interopPage } from "./page.ts";
import { CLIENTS, SERVERS, eraOf } from "./peers.ts";
import type { ClientPeer, ServerPeer } from "./peers.ts";
import { SCENARIOS } from "./scenario.ts";

const VERSIONS = { legacy: "2025-11-25", modern: "2026-07-28" };

const canRun = ({ command }: ClientPeer | ServerPeer): boolean => command !== undefined;
const clients = CLIENTS.filter(canRun);
const servers = SERVERS.filter(canRun);

/** The whole matrix, on a machine that others use too. */
const MATRIX_MS = 600_000;

let deployment: Deployment;
let matrix: Matrix;

async function run(): Promise<void> {
  deployment = await startDeployment(servers);
  matrix = await runMatrix(clients, servers, deployment);
}

describeWithEnvoy("the interop matrix", () => {
  beforeAll(run, MATRIX_MS);
  afterAll(() => deployment[Symbol.asyncDispose]());

  for (const client of CLIENTS) {
    for (const server of SERVERS) {
      const cell = `${client.title} (${client.mode}) against ${server.title}`;
      describe.skipIf(!canRun(client) || !canRun(server))(cell, () => {
        const direct = (): Outcomes => matrix(client, server, "direct");

        test("everything works without Toolgate", () => {
          expect(Object.keys(direct()).sort()).toEqual(SCENARIOS.map(({ name }) => name).sort());
          const expected = SCENARIOS.map(({ name, expect: outcome }) => [
            name,
            "unsupported" in direct()[name]! ? {} : outcome,
          ]);
          expect(direct()).toMatchObject(Object.fromEntries(expected));
        });

        test("both ends agree on the era that they have in common", () => {
          const version = VERSIONS[eraOf(client, server)];
          expect(direct()["connect"]).toMatchObject({ ok: { protocolVersion: version } });
        });

        test("what is allowed passes Toolgate unchanged", () => {
          expect(matrix(client, server, "open")).toEqual(direct());
        });

        test("the narrow policy changes what it is about, and nothing else", () => {
          const expected = Object.entries(direct()).map(([scenario, outcome]) => [
            scenario,
            narrowed(scenario, outcome, client, server),
          ]);
          expect(matrix(client, server, "narrow")).toEqual(Object.fromEntries(expected));
        });
      });
    }
  }

  test("no answer is Envoy's own: nothing has failed on the way", () => {
    expect(deployment.stack.gateway.accessLog.filter(({ code }) => Number(code) >= 500)).toEqual([]);
  });

  test.skipIf(clients.length < CLIENTS.length)("docs/interop.md says what has been seen", async () => {
    await expect(interopPage(matrix)).toMatchFileSnapshot("../../docs/interop.md");
  });
});
