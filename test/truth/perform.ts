/** Makes the calls of a script, as the callers that they are. Each is over when this resolves, for its caller at least. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Role, Scripted } from "./script.ts";
import type { ScriptedServer } from "./upstream.ts";

const CONCURRENCY = 16;

export type Stage = {
  readonly url: URL;
  readonly tokens: Readonly<Partial<Record<Role, string>>>;
  readonly server: ScriptedServer;
};

export async function perform(script: readonly Scripted[], stage: Stage): Promise<void> {
  const waiting = script.values();
  const work = async (): Promise<void> => {
    for (const one of waiting) await make(one, stage);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

async function make(call: Scripted, stage: Stage): Promise<void> {
  const { url, tokens, server } = stage;
  const token = tokens[call.role];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const outgoing = request(url, {
    method: call.http,
    agent: false,
    headers: {
      accept: "application/json, text/event-stream",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(call.http === "POST"
        ? { "content-type": "application/json", "content-length": Buffer.byteLength(call.body) }
        : {}),
      ...call.headers,
    },
  });
  if (call.leaves === "before the answer") void server.arrival(call.id).then(() => outgoing.destroy());
  outgoing.on("response", (response) => {
    response
      .on("error", () => {})
      .on("data", () => {
        if (call.leaves === "in the answer") outgoing.destroy();
      });
    if (call.takenBackBy !== undefined) {
      const { takenBackBy } = call;
      response.once("data", () => void make(takenBackBy, stage));
    }
  });
  outgoing.on("error", () => {}).on("close", resolve);
  outgoing.end(call.body);
  await closed;
  await sleep(0);
}
