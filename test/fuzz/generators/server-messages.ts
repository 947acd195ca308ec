/** The messages that servers send: answers, errors, requests to the client, notifications. */
import * as fc from "fast-check";
import { objectPart, part, secretRequest } from "./part.ts";
import type { Part } from "./part.ts";
import { clientMethods, results } from "./results.ts";

const VERSION = '"2.0"';
const ids = fc.oneof(
  { weight: 9, arbitrary: fc.constant("1") },
  { weight: 1, arbitrary: fc.constantFrom("2", '"1"', "1.0", "null", undefined) },
);
const ERROR = '{"code":-32601,"message":"no","data":{"a":1}}';
const NOTIFICATIONS = [
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":0.50}}',
  '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"\u00e9\u2028\\u2028"}}',
  '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
  '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"demo://resource/static/a"}}',
  '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///etc/passwd"}}',
  '{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t","status":"working"}}',
  '{"jsonrpc":"2.0","method":"notifications/other","params":{"a":1}}',
];

/** Any of them; most are the answer to the request 1. */
export const serverMessages: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.tuple(ids, results).map(([id, result]) => objectPart({ jsonrpc: VERSION, id, result })),
  },
  { weight: 1, arbitrary: ids.map((id) => objectPart({ jsonrpc: VERSION, id, error: ERROR })) },
  {
    weight: 2,
    arbitrary: clientMethods.map((method) => {
      const secret = secretRequest("request to the client", method);
      const params = objectPart({ a: part(JSON.stringify(secret.mark), [secret]) });
      return objectPart({ jsonrpc: VERSION, id: "7", method: JSON.stringify(method), params });
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom(...NOTIFICATIONS).map((text) => part(text)) },
);
