/**
 * Each fault of Toolgate's at each phase of an exchange, in front of the newest and the oldest Envoy that the shipped files
 * are for, and what becomes of a list that has hidden tools. One fault lets it through, which no failure setting of Envoy's
 * prevents: an OK close with an answer owed. It is why Toolgate ends a stream with OK in two places alone.
 */
import { connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerTo, Canary, inJson } from "./canary.ts";
import { freePort } from "./free-port.ts";
import { DEEDS, faultAt, FaultyToolgate } from "./faulty-toolgate.ts";
import type { Deed, Phase } from "./faulty-toolgate.ts";
import { extProcFilter, firstRoute, Gateway, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, postOverHttp2, rpc } from "./http.ts";
import type { Ask } from "./http.ts";
import { allEnvoys, describeWithEnvoy } from "./real-envoy.ts";
import { createIssuer } from "./tokens.ts";

/** What the client has, and whether the upstream was asked. */
type Fate =
  | "refused" // An error; the upstream was not asked.
  | "withheld" // An error in place of the upstream's answer.
  | "cut" // Begun, and then broken off; nothing of the list.
  | "short" // The same, but it looks like an end.
  | "filtered" // The list as it should be.
  | "UNFILTERED"; // The list with what is hidden.

/** Over HTTP/1.1 each phase, and the last one over HTTP/2 too. */
const COLUMNS = [
  "requestHeaders",
  "requestBody",
  "responseHeaders",
  "responseBody",
  "laterResponseBody",
  "laterResponseBody, HTTP/2",
] as const;

/** By column: the fates that are right. Over HTTP/2, Envoy 1.36 ends what it cuts off as if it were whole. */
type Fates = readonly (readonly Fate[])[];
const CLOSED: Fates = [["refused"], ["refused"], ["withheld"], ["withheld"], ["cut"], ["cut", "short"]];
/** The first answer was the right one; the second may come too late to stop what it let through. */
const RIGHT_OR_CLOSED: Fates = [
  ["refused"],
  ["refused", "withheld"],
  ["withheld", "filtered"],
  ["withheld", "filtered"],
  ["cut", "filtered"],
  ["cut", "short", "filtered"],
];

const FATES: Readonly<Record<Deed, Fates>> = {
  throws: CLOSED,
  hangs: CLOSED,
  killed: CLOSED,
  wrongKind: CLOSED,
  empty: CLOSED,
  twice: RIGHT_OR_CLOSED,
  closesOk: COLUMNS.map(() => ["UNFILTERED"]),
};

const HIDDEN = /hidden-/;
const FIRST_EVENT =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"message":"working"}}\n\n';

type Read = { readonly status: number; readonly text: string; readonly complete: boolean };

type How = { readonly inEvents?: boolean; readonly overHttp2?: boolean };

function fateOf({ status, text, complete }: Read, wasAsked: boolean): Fate {
  if (HIDDEN.test(text)) return "UNFILTERED";
  if (status >= 500) return wasAsked ? "withheld" : "refused";
  if (text.includes("allowed-one")) return "filtered";
  return complete ? "short" : "cut";
}

const envoys = await allEnvoys();
/** A route by this header, with the filter's question sent elsewhere. */
const ELSEWHERE = "x-elsewhere";

describeWithEnvoy("Toolgate with a fault", () => {
  let canary: Canary;
  let toolgate: FaultyToolgate;
  /** By the name of a request: lets the upstream go on after its first event. */
  const held = new Map<string, PromiseWithResolvers<void>>();
  let lastName = 0;

  beforeAll(async () => {
    canary = await Canary.start();
    toolgate = await FaultyToolgate.start();
    canary.answer = async (message, response) => {
      const rest = held.get(String(response.req.headers["x-name"]));
      if (rest === undefined) return inJson(message, response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(FIRST_EVENT);
      await rest.promise;
      response.end(`data: ${answerTo(message)}\n\n`);
    };
  });
  afterAll(async () => {
    await toolgate[Symbol.asyncDispose]();
    await canary[Symbol.asyncDispose]();
  });

  async function startGateway(envoy: string, change: (config: Node) => void): Promise<Gateway> {
    const { keySet } = await createIssuer();
    return Gateway.start({ envoy, extProcPort: toolgate.port, upstreamPort: canary.port, keySet, change });
  }

  /** What becomes of a request for the list, with these headers. */
  async function fate(gateway: Gateway, headers: Ask["headers"], how: How = {}): Promise<Fate> {
    const name = String(++lastName);
    const rest = Promise.withResolvers<void>();
    if (how.inEvents === true) held.set(name, rest);
    const sent = { headers: { ...headers, "x-name": name }, body: rpc("tools/list"), onText: () => rest.resolve() };
    const read = await (how.overHttp2 === true ? askOverHttp2(gateway.url, sent) : ask(gateway.url, sent));
    return fateOf(read, wasAsked(name));
  }
  const wasAsked = (name: string): boolean => canary.arrived.some((headers) => headers["x-name"] === name);

  describe.each(envoys)("in front of Envoy $version", ({ path }) => {
    /** Notices after a second what hangs; the other is given time, so that no slow answer is taken for none. */
    let [impatient, patient]: [Gateway?, Gateway?] = [];
    const gatewayFor = (deed?: Deed): Gateway => (deed === "hangs" ? impatient : patient) as Gateway;
    beforeAll(async () => {
      const nobodyPort = await freePort();
      const change = (config: Node): void => {
        takeConnectionsOfTheirOwn(config);
        addElsewhere(config, nobodyPort);
      };
      patient = await startGateway(path, change);
      impatient = await startGateway(path, (config) => {
        extProcFilter(config)["message_timeout"] = "1s";
        change(config);
      });
    });
    afterAll(async () => {
      await impatient?.[Symbol.asyncDispose]();
      await patient?.[Symbol.asyncDispose]();
    });

    test.concurrent.for(DEEDS)("that %s: the fate of a list at each phase", async (deed) => {
      const found = COLUMNS.map((column) => {
        const [phase, protocol] = column.split(", ") as [Phase, "HTTP/2"?];
        const how = { inEvents: phase === "laterResponseBody", overHttp2: protocol === "HTTP/2" };
        return fate(gatewayFor(deed), faultAt(phase, deed), how);
      });
      for (const [i, one] of (await Promise.all(found)).entries()) expect(FATES[deed][i], COLUMNS[i]).toContain(one);
    });

    test.concurrent.for(["throws", "hangs", "wrongKind", "empty", "killed"] as const)(
      "that %s on a GET: the upstream is not asked",
      async (deed) => {
        const headers = { ...faultAt("requestHeaders", deed), "x-name": `GET ${deed}` };
        expect((await ask(gatewayFor(deed).url, { method: "GET", headers })).status).toBeGreaterThanOrEqual(500);
        expect(wasAsked(`GET ${deed}`)).toBe(false);
      },
    );

    test.concurrent.for([
      ["refuses the connection", "nobody"],
      ["is in no cluster", "no-such-cluster"],
    ] as const)("that %s: the upstream is not asked", async ([, cluster]) => {
      expect(await fate(gatewayFor(), { [ELSEWHERE]: cluster })).toBe("refused");
    });

    test.concurrent("where there is none, the list is filtered", async () => {
      expect(await fate(gatewayFor(), {})).toBe("filtered");
      expect(await fate(gatewayFor(), {}, { inEvents: true })).toBe("filtered");
      expect(await fate(gatewayFor(), {}, { inEvents: true, overHttp2: true })).toBe("filtered");
    });

    test("and failure_mode_allow, which no shipped file has: everything passes, also what is denied", async () => {
      await using open = await startGateway(path, (config) => {
        extProcFilter(config)["failure_mode_allow"] = true;
      });
      const headers = faultAt("requestHeaders", "throws");
      expect(await fate(open, headers)).toBe("UNFILTERED");
      expect((await ask(open.url, { headers, body: callTool("hidden-one") })).text).toContain("done: hidden-one");
    });
  });
});

/** Each exchange with a connection to Toolgate of its own: one that is killed takes no other with it. */
function takeConnectionsOfTheirOwn(config: Node): void {
  const [options] = Object.values(toolgateCluster(config)["typed_extension_protocol_options"] as Node) as Node[];
  if (options === undefined) throw new Error("the cluster toolgate has no protocol options");
  options["common_http_protocol_options"] = { max_requests_per_connection: 1 };
}

function clustersOf(config: Node): Node[] {
  return (config["static_resources"] as { readonly clusters: Node[] }).clusters;
}

function toolgateCluster(config: Node): Node {
  const toolgate = clustersOf(config).find(({ name }) => name === "toolgate");
  if (toolgate === undefined) throw new Error("the configuration has no cluster toolgate");
  return toolgate;
}

/** Routes that ask a Toolgate which is not there: a cluster whose port nobody listens on, and one that does not exist. */
function addElsewhere(config: Node, nobodyPort: number): void {
  const nobody = structuredClone(toolgateCluster(config));
  const address = { socket_address: { address: "127.0.0.1", port_value: nobodyPort } };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  clustersOf(config).push({ ...nobody, name: "nobody", load_assignment: { cluster_name: "nobody", endpoints } });
  const [host] = (manager(config)["route_config"] as { readonly virtual_hosts: { routes: Node[] }[] }).virtual_hosts;
  if (host === undefined) throw new Error("the configuration has no virtual host");
  const elsewhere = ["nobody", "no-such-cluster"].map((cluster) => routeAsking(firstRoute(config), cluster));
  host.routes = [...elsewhere, ...host.routes];
}

function routeAsking(route: Node, cluster: string): Node {
  const copy = structuredClone(route);
  const { config } = (copy["typed_per_filter_config"] as Record<string, { config: Node }>)["toolgate.ext_proc"] ?? {};
  if (config === undefined) throw new Error("the route does not turn the filter on");
  config["overrides"] = { grpc_service: { envoy_grpc: { cluster_name: cluster } } };
  copy["match"] = { path: "/mcp", headers: [{ name: ELSEWHERE, string_match: { exact: cluster } }] };
  copy["name"] = cluster;
  return copy;
}

type Sent = Required<Pick<Ask, "headers" | "body">> & { readonly onText: () => void };

async function askOverHttp2(url: URL, { onText, ...sent }: Sent): Promise<Read> {
  const session = connect(url.origin);
  const stream = postOverHttp2(session, sent);
  let [status, text] = [0, ""];
  stream.on("response", (received) => void (status = Number(received[":status"])));
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    onText();
  });
  stream.on("error", () => {});
  await new Promise((resolve) => void stream.once("close", () => resolve(undefined)));
  session.destroy();
  return { status, text, complete: stream.rstCode === 0 };
}
