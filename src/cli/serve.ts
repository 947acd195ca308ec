/**
 * `toolgate serve`: the composition root, the one place that knows every folder. It reads like the start of the program:
 * policy first, then telemetry, then the two listeners; and at the end the same in reverse.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { Logger } from "pino";
import { PAGE_FOLDER, readAssets } from "../admin/assets.ts";
import { createAdminServer } from "../admin/server.ts";
import { formatAddress } from "../config/address.ts";
import type { Address } from "../config/address.ts";
import { describeConfig, limitsOf, parseConfig, trustOf } from "../config/config.ts";
import type { Config } from "../config/options.ts";
import { createExtAuthz, EXT_AUTHZ_PATH } from "../grpc/ext-authz.ts";
import { createExtProc, EXT_PROC_PATH } from "../grpc/ext-proc.ts";
import { createHealth } from "../grpc/health.ts";
import { Load } from "../grpc/load.ts";
import { createGrpcServer } from "../grpc/server.ts";
import type { GrpcServer } from "../grpc/server.ts";
import { loadTls } from "../grpc/tls.ts";
import type { Tls } from "../grpc/tls.ts";
import { createFileSource } from "../policies/files.ts";
import { startPublisher } from "../policies/publisher.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import type { PolicyReport, Publisher } from "../policies/publisher.ts";
import { formatProblem } from "../policies/source.ts";
import { readBefore } from "../telemetry/chain-before.ts";
import { readChainKey, Segment } from "../telemetry/chain.ts";
import { createDecisionLog } from "../telemetry/decision-log.ts";
import type { DecisionLog } from "../telemetry/decision-log.ts";
import { LogFile } from "../telemetry/log-file.ts";
import type { Before } from "../telemetry/mark-line.ts";
import { countOpen } from "../telemetry/meter.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { Meter } from "../telemetry/meter.ts";
import { createRecent } from "../telemetry/recent.ts";
import type { Activity } from "../telemetry/stat.ts";
import { createTap } from "../telemetry/tap.ts";
import { fanOut } from "../telemetry/telemetry.ts";
import { createTraffic } from "../telemetry/traffic.ts";
import { oncePerMinute } from "./once-per-minute.ts";
import { startTraces } from "./start-traces.ts";
import { VERSION } from "./version.ts";

/** Larger than the largest body that can be configured: Envoy's own limit is what a client should meet. */
const MAX_MESSAGE_BYTES = 96 * 1024 * 1024;

/** Flags by option name. Resolves with the exit code when the process may end. */
export async function runServe(flags: Readonly<Record<string, string | undefined>>): Promise<number> {
  const parsed = parseConfig({ flags, env: process.env, readFile: (path) => readFileSync(path, "utf8") });
  if (!parsed.ok) {
    for (const { path, message } of parsed.error) process.stderr.write(`${path}: ${message}\n`);
    return 2;
  }
  const { config, warnings } = parsed.value;
  const log = createLog(config.logLevel);
  for (const warning of warnings) log.warn(warning);
  log.info({ version: VERSION, ...describeConfig(config) }, "starting");

  const published = await startPublisher(createFileSource(config.policies), { trustDomain: config.trustDomain });
  if (!published.ok) {
    process.stderr.write(`${formatProblem(published.error)}\n`);
    return 2;
  }
  using publisher = published.value;
  const logReport = logReports(log);
  logReport(publisher.report.get());
  publisher.report.subscribe(logReport);
  try {
    using tls = openTls(config, log);
    return await serve(config, publisher, tls, log);
  } catch (error: unknown) {
    process.stderr.write(`toolgate: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Undefined: without TLS. */
function openTls(
  { tlsCert: cert, tlsKey: key, tlsClientCa: ca, tlsClientNames: names }: Config,
  log: Logger,
): Tls | undefined {
  if (cert === "") return undefined;
  return loadTls({
    files: { cert, key, clients: ca === "" ? undefined : { ca, names } },
    onUnusable: (error) => log.error(error, "certificates have changed and cannot be used: those before stay in use"),
    onChanged: () => log.info("certificates have changed"),
  });
}

async function serve(config: Config, publisher: Publisher, tls: Tls | undefined, log: Logger): Promise<number> {
  const { unmatched, jwtPayloadKey, maxStreams, maxHeldBytes, auditArguments: loggedArguments } = config;
  const limits = limitsOf(config);
  const { policies, report } = publisher;
  const file = openLogFile(config, log);
  const decisionLog = createDecisionLog({
    ...(file === undefined ? {} : { out: file }),
    ...(config.auditChain === "no" ? {} : { chain: beginChain(config) }),
    onError: (error) => log.error(error, "the decision log cannot be written"),
  });
  const isLogKept = (): boolean => decisionLog.isKept() && file?.isFaulty !== true;
  const isNamed: PolicySet["isNamed"] = (...name) => policies.get().isNamed(...name);
  const [traffic, recent, tap] = [createTraffic({ isNamed }), createRecent(), createTap()];
  const traces = await startTraces(config, log);
  const metrics = createMetrics({
    version: VERSION,
    isNamed,
    inForce: () => policies.get(),
    policy: () => ({ ...report.get(), ...policies.get().counts, problems: report.get().problems.length }),
    decisionLogDropped: () => decisionLog.dropped(),
    decisionLogQueuedBytes: () => decisionLog.queuedBytes(),
    isLogKept,
    load: () => load,
    certificateExpiresAtMs: () => tls?.expiresAtMs(),
    spans: () => traces?.counts(),
  });
  const isAudited = config.audit === "required" ? isLogKept : () => true;
  const load = new Load({ maxStreams, maxHeldBytes, isAudited, onRefused: (why) => metrics.streamRefused(why) });
  const readers = [metrics, decisionLog, traffic, recent, tap, ...(traces === undefined ? [] : [traces])];
  const telemetry = fanOut(readers, traces?.sampleFailure);
  const health = createHealth(["envoy.service.ext_proc.v3.ExternalProcessor", "envoy.service.auth.v3.Authorization"]);
  const onMisconfigured = oncePerMinute((message) =>
    log.error({ envoy: message }, "Envoy must be configured otherwise"),
  );
  const onStranger = oncePerMinute((why) => log.warn({ why }, "a client was not let in"));
  const trust = trustOf(config);
  const { meter } = metrics;
  const shared = { policies, telemetry, meter, load, unmatched, limits, loggedArguments, jwtPayloadKey, trust };
  const { authzLists: lists, authzUnseen: unseen, profiles: beliefs } = config;
  const extAuthz = createExtAuthz({ ...shared, lists, unseen, startSpans: traces?.observeSpans });
  const extProc = createExtProc({ ...shared, beliefs, onMisconfigured, startSpans: traces?.startSpans });
  const grpc = createGrpcServer({
    tls,
    onStranger(why) {
      metrics.clientRefused();
      onStranger(why);
    },
    handlers: new Map([[EXT_PROC_PATH, extProc], [EXT_AUTHZ_PATH, extAuthz], ...health.handlers]),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    onHeld: (bytes) => load.hold(bytes),
    onFault: (fault, path) => log.error({ err: fault, path }, "a stream has failed"),
  });
  endOnUncaught(grpc, decisionLog, log);
  let isServing = false;
  let listening: string | undefined;
  const missing = (): string[] => (isServing ? [] : ["the gRPC listener"]);
  const admin = createAdminServer({
    metrics,
    missing,
    traffic,
    recent,
    tap,
    decisionLog,
    policies: () => policies.get(),
    report: () => report.get(),
    activity: () => activityOn(policies.get(), metrics.meter.open),
    assets: await readAssets(PAGE_FOLDER),
    info: { version: VERSION, startedAtMs: Date.now(), id: randomUUID(), listen: () => listening },
  });

  const logHead = (): void => {
    const head = decisionLog.head();
    if (head !== undefined) log.info(head, "the chain of the decision log is here");
  };
  process.on("SIGHUP", () => {
    file?.reopen();
    logHead();
    void publisher.reload();
  });
  const adminAddress = await admin.listen(toListen(config.adminListen));
  const address = await listenTo(() => grpc.listen(toListen(config.listen)), config.listen, "--listen");
  listening = formatListening(address);
  isServing = true;
  health.set("SERVING");
  log.info({ listen: listening, adminListen: formatListening(adminAddress) }, "ready");

  const signal = await stopSignal();
  log.info({ signal, drainSeconds: config.drainSeconds }, "draining");
  isServing = false;
  health.set("NOT_SERVING");
  await grpc.drain(config.drainSeconds * 1000);
  await Promise.all([decisionLog.close(), traces?.close()]);
  logHead();
  await admin.close();
  log.info("ended");
  return 0;
}

/** On stdout nobody knows what was there before. */
function beginChain({ auditChainKey, auditLog }: Config): { readonly segment: Segment; readonly before: () => Before } {
  const segment = new Segment(randomUUID(), auditChainKey === "" ? undefined : readChainKey(auditChainKey));
  return { segment, before: () => (auditLog === "stdout" ? {} : readBefore(auditLog)) };
}

/** Of all servers that policy names. */
function activityOn({ servers }: PolicySet, open: Meter["open"]): readonly Activity[] {
  const counted = countOpen(open, performance.now());
  return servers.map(({ name: server }) => {
    const { calls = 0, streams = 0 } = counted.get(server) ?? {};
    return { server, inflight: calls, streams };
  });
}

/** Undefined: to stdout. */
function openLogFile({ auditLog }: Config, log: Logger): LogFile | undefined {
  if (auditLog === "stdout") return undefined;
  const onFault = (error: Error): void =>
    log.error(error, "the decision log cannot be written: what is left waits, and is tried again");
  return new LogFile({ path: auditLog, onFault });
}

/** Nobody knows what such an error has left behind: every exchange fails, which refuses it, and the process ends. */
function endOnUncaught(grpc: GrpcServer, decisionLog: DecisionLog, log: Logger): void {
  const end = async (uncaught: unknown): Promise<never> => {
    log.fatal({ err: uncaught }, "an error that nobody has caught: all exchanges fail, and the process ends");
    const lastWords = grpc.close().then(() => decisionLog.close());
    await Promise.race([lastWords, sleep(LAST_WORDS_MS)]).catch(() => {});
    process.exit(1);
  };
  process.once("uncaughtException", (uncaught) => void end(uncaught));
  process.once("unhandledRejection", (uncaught) => void end(uncaught));
}

/** Larger than what `close` takes. */
const LAST_WORDS_MS = 2_000;

/** JSON lines on stderr: stdout belongs to the decision log. Synchronous, so that the last words are not lost. */
const createLog = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );

/** An unreadable folder puts nothing in force: the generation stays. */
function logReports(log: Logger): (report: PolicyReport) => void {
  let before = 0;
  return ({ generation, problems, warnings }) => {
    for (const problem of problems) log.error(`policy: ${formatProblem(problem)}`);
    for (const warning of warnings) log.warn(`policy: ${formatProblem(warning)}`);
    const inForce = generation > before ? "policies are in force" : "the last good policies stay in force";
    before = generation;
    log.info({ generation, problems: problems.length, warnings: warnings.length }, inForce);
  };
}

type Listening = { readonly host: string; readonly port: number } | { readonly path: string };

const toListen = (address: Address): Listening =>
  address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };

const formatListening = (address: Listening): string =>
  formatAddress("path" in address ? { kind: "unix", ...address } : { kind: "tcp", ...address });

async function listenTo<T>(listen: () => Promise<T>, address: Address, flag: string): Promise<T> {
  try {
    return await listen();
  } catch (error: unknown) {
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const why = inUse ? "it is in use by another process" : String(error);
    throw new Error(`cannot listen on ${formatAddress(address)}: ${why}; choose another address with ${flag}`, {
      cause: error,
    });
  }
}

const stopSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
