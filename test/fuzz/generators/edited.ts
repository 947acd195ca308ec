/** Does to a document what `edits.ts` says. JSON is cut into tokens leniently, since an edit may have broken it before. */
import { latin1 } from "../../fixtures/bytes.ts";
import type { Edit } from "./edits.ts";

export const edited = (bytes: Uint8Array, edits: readonly Edit[]): Uint8Array =>
  latin1(edits.reduce(applied, Buffer.from(bytes).toString("latin1")));

function applied(text: string, change: Edit): string {
  switch (change.kind) {
    case "replace":
    case "insert": {
      const i = change.at % (text.length + 1);
      return text.slice(0, i) + String.fromCharCode(change.byte) + text.slice(change.kind === "insert" ? i : i + 1);
    }
    case "delete":
    case "repeat": {
      const i = change.at % (text.length + 1);
      const slice = change.kind === "repeat" ? text.slice(i, i + change.length).repeat(2) : "";
      return text.slice(0, i) + slice + text.slice(i + change.length);
    }
    case "around":
      return change.before + text + change.after;
    case "utf16": {
      const bytes = Buffer.from(text, "utf16le");
      return (change.bigEndian ? bytes.swap16() : bytes).toString("latin1");
    }
    default:
      return withTokens(text, change);
  }
}

type TokenEdit = Exclude<Edit, { kind: "replace" | "insert" | "delete" | "repeat" | "around" | "utf16" }>;

const TOKEN = /"(?:[^"\\]|\\[^])*"?|[{}[\],:]|[^{}[\],:"\s]+|\s+/g;

/** Edits one of the tokens that the edit is for: the one that its place falls on. */
function withTokens(text: string, change: TokenEdit): string {
  const tokens: string[] = text.match(TOKEN) ?? [];
  const isString = (i: number): boolean => tokens[i]?.startsWith('"') === true;
  const isKey = (i: number): boolean => isString(i) && tokens[i + 1] === ":";
  const isScalar = (i: number): boolean => /^[^{}[\],:\s]/.test(tokens[i] ?? "") && !isKey(i);
  const fits = { recase: isString, escape: isString, into: isString, become: isScalar, nest: isScalar };
  const fitsKey = { rename: isKey, again: isKey };
  const isMeant = { ...fits, ...fitsKey, drop: () => true, swap: () => true, space: () => true }[change.kind];
  const candidates = [...tokens.keys()].filter(isMeant);
  const i = candidates[change.at % candidates.length];
  if (i === undefined) return text;
  const token = tokens[i] ?? "";
  if (change.kind === "swap") tokens.splice(i, 2, tokens[i + 1] ?? "", token);
  else if (change.kind === "again" && !change.before && isScalar(i + 2)) tokens[i + 2] += `,${token}:${change.text}`;
  else tokens[i] = editedToken(token, change);
  return tokens.join("");
}

function editedToken(token: string, change: Exclude<TokenEdit, { kind: "swap" }>): string {
  switch (change.kind) {
    case "recase":
      return withChar(token, change.char, (letter) =>
        change.char % 2 === 0 ? (FOLDED.get(letter) ?? otherCase(letter)) : otherCase(letter),
      );
    case "escape":
      return withChar(token, change.char, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
    case "into": {
      const i = 1 + (change.char % Math.max(1, token.length - 1));
      return token.slice(0, i) + change.text + token.slice(i);
    }
    case "become":
    case "rename":
      return change.text;
    case "again":
      return `${token}:${change.text},${token}`;
    case "drop":
      return "";
    case "space":
      return ` \t\r\n${token}`;
    case "nest":
      return change.open.repeat(change.depth) + token + (change.open === "[" ? "]" : "}").repeat(change.depth);
    default:
      return change satisfies never;
  }
}

/** Letters that Unicode folds to ASCII ones: the Kelvin sign, the long s. */
const FOLDED = new Map([
  ["k", "\xe2\x84\xaa"],
  ["s", "\xc5\xbf"],
]);
const otherCase = (letter: string): string =>
  letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();

/** One plain character of a string, if it has any. */
function withChar(token: string, at: number, change: (letter: string) => string): string {
  const places = [...token.matchAll(/(?<!\\)[a-zA-Z0-9/_-]/g)].map((match) => match.index);
  const i = places[at % places.length];
  return i === undefined ? token : token.slice(0, i) + change(token.charAt(i)) + token.slice(i + 1);
}
