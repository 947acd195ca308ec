/** The messages that servers send: answers, errors, requests to the client, notifications. */
import * as fc from "fast-check";
import { seesAll } from "../world.ts";
import { objectPart, part, secretContent, secretRequest } from "./part.ts";
import type { Part } from "./part.ts";
import { clientMethods, results } from "./results.ts";

const VERSION = '"2.0"';
const ids = fc.oneof(
  { weight: 9, arbitrary: fc.constant("1") },
  { weight: 1, arbitrary: fc.constantFrom("2", '"1"', "1.0", "null", undefined) },
);
/** To callers from whom nothing is hidden alone, since nobody knows what else stands in it. */
const unknown = (text: string, mark: string): Part => part(text, [{ kind: "what is not known", mark, isFor: seesAll }]);
const ERRORS: readonly Part[] = [
  part('{"code":-32601,"message":"no"}'),
  part('{"code":-32602,"message":"no","data":{"uri":"demo://resource/static/a"}}'),
  unknown('{"code":-32602,"message":"no","data":{"a":"<data>"}}', "<data>"),
  unknown('{"code":-32000,"message":"no","data":{"a":"<any data>"}}', "<any data>"),
  unknown('{"code":-1,"message":"no","other":"<member>"}', "<member>"),
  objectPart({ code: "-32042", message: '"no"', data: objectPart({ elicitations: elicitation() }) }),
];
function elicitation(): Part {
  const secret = secretRequest("input that an error asks for", "elicitation/create");
  return part(JSON.stringify([{ url: secret.mark }]), [secret]);
}

const told = (method: string, params: Part | string): Part =>
  objectPart({ jsonrpc: VERSION, method: JSON.stringify(`notifications/${method}`), params });
const NOTIFICATIONS: readonly Part[] = [
  told("progress", '{"progressToken":1,"progress":0.50}'),
  told("progress", unknown('{"progressToken":1,"b":"<b>","progress":0.50}', "<b>")),
  told("message", objectPart({ level: '"info"', data: logged() })),
  told("tools/list_changed", "{}"),
  told("resources/updated", '{"uri":"demo://resource/static/a"}'),
  told("resources/updated", objectPart({ uri: '"file:///etc/passwd"', _meta: content("file:///etc/passwd") })),
  told("tasks", objectPart({ taskId: '"t"', status: '"working"', result: followed() })),
  told("tasks", objectPart({ taskId: '"t"', inputRequests: asked() })),
  told("subscriptions/acknowledged", objectPart({ notifications: subscribed() })),
  told("other", unknown('{"c":"<c>"}', "<c>")),
];
function logged(): Part {
  const secret = secretRequest("a log message", "logging/setLevel");
  return part(`"\u00e9\u2028\\u2028${secret.mark}"`, [secret]);
}
function content(uri: string): Part {
  const secret = secretContent(uri);
  return objectPart({ a: part(JSON.stringify(secret.mark), [secret]) });
}
function followed(): Part {
  const secret = secretRequest("a task", "tasks/get");
  return objectPart({ a: part(JSON.stringify(secret.mark), [secret]) });
}

function asked(): Part {
  const secret = secretRequest("input that a task asks for", "elicitation/create");
  const params = objectPart({ a: part(JSON.stringify(secret.mark), [secret]) });
  return objectPart({ k: objectPart({ method: '"elicitation/create"', params }) });
}
function subscribed(): Part {
  const uri = "file:///subscribed";
  const secret = { kind: "a subscription", mark: uri, isFor: seesAll };
  return objectPart({ resourceSubscriptions: part(`["demo://resource/static/a","${uri}"]`, [secret]), taskIds: "[]" });
}

/** As a server answers the ping that goes on in place of what was refused (HTTP with SSE): the id is a message. */
const sealed = results.map((result) => {
  const { text } = objectPart({ jsonrpc: VERSION, id: "1", result });
  // Elsewhere it is an id like any other, and what stands in it no secret: its marks are not those of others.
  const id = JSON.stringify(`toolgate-denied ${text.replaceAll("<", "(")}`);
  return objectPart({ jsonrpc: VERSION, id, result: "{}" });
});

/** Any of them; most are the answer to the request 1. */
export const serverMessages: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.tuple(ids, results).map(([id, result]) => objectPart({ jsonrpc: VERSION, id, result })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(ids, fc.constantFrom(...ERRORS))
      .map(([id, error]) => objectPart({ jsonrpc: VERSION, id, error })),
  },
  {
    weight: 2,
    arbitrary: clientMethods.map((method) => {
      const secret = secretRequest("request to the client", method);
      const params = objectPart({ a: part(JSON.stringify(secret.mark), [secret]) });
      return objectPart({ jsonrpc: VERSION, id: "7", method: JSON.stringify(method), params });
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom(...NOTIFICATIONS) },
  { weight: 1, arbitrary: sealed },
);
