/**
 * What an attacker, or a careless writer, does to a valid document: edits of bytes and of JSON tokens, as data, so that a
 * failure shrinks to the one edit that matters. Text is handled with one character a byte: it need not be UTF-8.
 */
import * as fc from "fast-check";
import { utf8 } from "../../fixtures/bytes.ts";

export type Edit =
  | { readonly kind: "replace" | "insert"; readonly at: number; readonly byte: number }
  | { readonly kind: "delete" | "repeat"; readonly at: number; readonly length: number }
  /** In the string at that place. */
  | { readonly kind: "recase" | "escape"; readonly at: number; readonly char: number }
  | { readonly kind: "into"; readonly at: number; readonly char: number; readonly text: string }
  /** In place of a scalar or a key. */
  | { readonly kind: "become" | "rename"; readonly at: number; readonly text: string }
  /** A member once more, with that value, before or behind the first. */
  | { readonly kind: "again"; readonly at: number; readonly text: string; readonly before: boolean }
  | { readonly kind: "drop" | "space"; readonly at: number }
  /** With the token behind it. */
  | { readonly kind: "swap"; readonly at: number }
  | { readonly kind: "nest"; readonly at: number; readonly depth: number; readonly open: "[" | '{"a":' }
  /** Around the whole document. */
  | { readonly kind: "around"; readonly before: string; readonly after: string }
  | { readonly kind: "utf16"; readonly bigEndian: boolean };

/** Names that mean something to some reader of MCP. */
const WORDS = [
  "jsonrpc id method params result error name uri arguments _meta ref type tools prompts resources resourceTemplates",
  "uriTemplate cacheScope resultType inputRequests inputResponses requestState task isError __proto__ constructor",
]
  .join(" ")
  .split(" ");
const TEXTS = ["get-env", "echo", "tools/call", "tools/list", "ping", "2.0", "", "ref/prompt", "complete"];
const ODD_VALUES = [
  "null true false 0 -0 1 1.0 1e0 1.5 1e400 -1e-400 01 9007199254740993 123456789012345678901234567890 NaN Infinity -",
  '[] {} "" [[]] {"name":"get-env"} {"a":1,"a":2} ["get-env",{}] "\\ud800" "\\u0000" \'x\' tru /**/null 0x10 .5 1. +1',
]
  .join(" ")
  .split(" ");
/** For the inside of a string: as bytes, one character each. */
const ODD_TEXTS = [
  "\\ud800",
  "\\udc00",
  "\\ud83d\\ude00",
  "\\u0000",
  "\\x2f",
  "\\",
  "\\/",
  '"',
  '\\"',
  "\u0000",
  "\n",
  "\r",
  "\t",
  "\u007f",
  " ",
  "*",
  "/../",
  "%2e",
  "%2F",
  ...["\u0085", "\u2028", "\u00ad", "\u200b", "\ufeff", "\u0130", "\uff45", "e\u0301", "\u{1f600}"].map(asBytes),
  "\xff",
  "\xc0\xaf",
  "\xed\xa0\x80",
  "\xf4\x90\x80\x80",
  "\xc3",
];
const BEFORE = ["\xef\xbb\xbf", "\xfe\xff", " \n", "[", "\u0000", "{}", "//x\n", ")]}',\n", '"', "\u001e"];
const AFTER = [
  "\u0000",
  "\n",
  " ",
  "]",
  "{}",
  "}",
  ",",
  "//x",
  '{"method":"tools/call"}',
  "\xef\xbb\xbf",
  "[]",
  "\u001a",
];

/** UTF-8, one character a byte. */
function asBytes(text: string): string {
  return Buffer.from(utf8(text)).toString("latin1");
}

const at = fc.nat(400);
const ODD = '{}[]",:\\u0e-+. \n\t\u0000/*\xff\xc2\x85';
const odd = fc.nat(ODD.length - 1).map((i) => ODD.charCodeAt(i));

const one = <const T extends readonly string[]>(...values: T): fc.Arbitrary<T[number]> => fc.constantFrom(...values);
const quoted = (texts: readonly string[]): readonly string[] => texts.map((text) => JSON.stringify(text));
const value = one(...ODD_VALUES, ...quoted(TEXTS));
const char = fc.nat(40);

/** One edit; of tokens more often than of bytes, since that goes deeper. */
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: one("replace", "insert"), at, byte: odd }) },
  { weight: 1, arbitrary: fc.record({ kind: one("replace", "insert"), at, byte: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ kind: one("delete", "repeat"), at, length: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: one("recase", "escape"), at, char }) },
  { weight: 2, arbitrary: fc.record({ kind: one("into"), at, char, text: one(...ODD_TEXTS) }) },
  { weight: 2, arbitrary: fc.record({ kind: one("become"), at, text: value }) },
  { weight: 2, arbitrary: fc.record({ kind: one("rename"), at, text: one(...quoted(WORDS)) }) },
  { weight: 2, arbitrary: fc.record({ kind: one("again"), at, text: value, before: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: one("drop", "swap", "space"), at }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: one("nest"),
      at,
      depth: fc.constantFrom(1, 2, 60, 63, 64, 200),
      open: one("[", '{"a":'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: one("around"), before: one("", ...BEFORE), after: one("", ...AFTER) }) },
  { weight: 1, arbitrary: fc.record({ kind: one("utf16"), bigEndian: fc.boolean() }) },
);
