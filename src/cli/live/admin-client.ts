/** Asks the admin port of one Toolgate, over TCP or a Unix socket. Every failure is a sentence for who typed the command. */
import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { err, ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";

const TIMEOUT_MS = 10_000;

export type AdminClient = {
  /** The answer to GET, as JSON. */
  read(path: string): Promise<Result<unknown, string>>;
  /** An answer that goes on until it is over, or `signal` ends it. */
  open(path: string, signal: AbortSignal): Promise<Result<IncomingMessage, string>>;
};

/** `address`: `http://host:port` or `unix:/path`. */
export function createAdminClient(address: string): Result<AdminClient, string> {
  const socketPath = address.startsWith("unix:/") ? address.slice("unix:".length) : undefined;
  const base = socketPath === undefined ? address : "http://localhost";
  if (!/^https?:$/.test(URL.parse(base)?.protocol ?? ""))
    return err(`--admin ${address}: expected http://host:port or unix:/path`);

  const get = (path: string, signal: AbortSignal): Promise<Result<IncomingMessage, string>> => {
    const { promise, resolve } = Promise.withResolvers<Result<IncomingMessage, string>>();
    const url = new URL(path, base);
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const asked = send(url, { signal, agent: false, ...(socketPath === undefined ? {} : { socketPath }) });
    asked.on("response", (response) => resolve(ok(response)));
    asked.on("error", (error: NodeJS.ErrnoException) =>
      resolve(
        err(
          `${address} cannot be reached (${error.code ?? error.message}): is Toolgate's admin port there? See --admin`,
        ),
      ),
    );
    asked.end();
    return promise;
  };

  const open: AdminClient["open"] = async (path, signal) => {
    const answered = await get(path, signal);
    if (!answered.ok || answered.value.statusCode === 200) return answered;
    return err(`${address} answers: ${await whatWentWrong(answered.value)}`);
  };

  return ok({
    open,
    async read(path) {
      const answered = await open(path, AbortSignal.timeout(TIMEOUT_MS));
      if (!answered.ok) return answered;
      try {
        return ok(JSON.parse(await text(answered.value)) as unknown);
      } catch (error: unknown) {
        return err(`${address} answers with something that is not JSON: ${String(error)}`);
      }
    },
  });
}

async function whatWentWrong(response: IncomingMessage): Promise<string> {
  const body = await text(response).catch(() => "");
  try {
    return String((JSON.parse(body) as { readonly error: unknown }).error);
  } catch {
    return `HTTP ${response.statusCode}: is that Toolgate's admin port? See --admin`;
  }
}
