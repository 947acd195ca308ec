/** Names, URIs and methods: those that somebody may use, those that nobody may, and those close to either. */
import * as fc from "fast-check";

export const toolNames = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("echo", "get-sum", "get-env", "get-tiny-image") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "Echo",
      "echo ",
      "",
      "echo\u200b",
      "\uff45cho",
      "get-",
      "constructor",
      "ababa",
      "aba-aba",
      "__proto__",
      "*",
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom("get-\u{1f600}", "get-\u2028", "get-\u0085", 'get-"\\', "g".repeat(257)) },
);
export const promptNames = fc.constantFrom("simple-prompt", "args-prompt", "simple-\u00e9", "Simple-prompt", "");
export const uris = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "demo://resource/static/document/features.md",
      "demo://resource/static/a%20b",
      "demo://resource/dynamic/text/1",
      "demo://resource/dynamic/secret/1",
      "file:///etc/passwd",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "demo://resource/static/../dynamic/text/1",
      "demo://resource/static/%2e%2e/x",
      "demo://resource/static//x",
      "DEMO://resource/static/x",
      "demo://resource:80/static/x",
      "demo://resource/static/\u00e9",
      "demo://resource/static/x#y",
      "demo://resource/static/*",
      "demo://resource/static/%C0%AFx",
      "demo://resource",
      "demo:x",
      `demo://resource/static/${"x".repeat(2048)}`,
      "",
    ),
  },
);
export const templates = fc.constantFrom(
  "demo://resource/static/{name}",
  "demo://resource/dynamic/text/{id}",
  "demo://resource/dynamic/{kind}/{id}",
  "demo://resource/{+path}",
  "{+uri}",
  "demo://resource/static/{a}/../{b}",
);
