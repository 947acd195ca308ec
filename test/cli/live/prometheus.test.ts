import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createQuery } from "../../../src/cli/live/prometheus.ts";

/** What somebody is told who asks a server that answers so. */
async function told(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => void response.writeHead(status).end(body)).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const query = createQuery(url);
    const answer = query.ok ? await query.value("up") : query;
    return answer.ok ? JSON.stringify(answer.value) : answer.error.replace(url, "URL");
  } finally {
    server.close();
  }
}

test("the samples of an instant query", async () => {
  const data = { result: [{ metric: { job: "a" }, value: [1, "2.5"] }] };
  expect(await told(200, JSON.stringify({ status: "success", data }))).toBe('[{"labels":{"job":"a"},"value":2.5}]');
});

test("a query that Prometheus does not take is told in its words", async () => {
  expect(await told(400, '{"status":"error","error":"parse error"}')).toBe("URL answers: parse error");
});

test.each([
  [404, "404 page not found"],
  [405, '{"error":"this port is read-only"}'],
  [200, "null"],
])("another server than Prometheus is told by its status: %i %s", async (status, body) => {
  expect(await told(status, body)).toBe(`URL does not answer as Prometheus does (HTTP ${status}). See --prometheus`);
});
