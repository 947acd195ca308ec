/**
 * The slow twin of `jsonrpc/scan.ts`: JSON.parse says whether it is JSON at all, then a recursive reader that trusts it
 * looks for all that JSON.parse lets through: duplicate keys, lone surrogates, `__proto__`, what is over a limit.
 */
import type { ScanLimits } from "../../src/core/jsonrpc/scan.ts";
import type { Tree } from "../fixtures/tree.ts";

export function scanSlowly(bytes: Uint8Array, limits: ScanLimits): Tree | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    JSON.parse(text);
    return new Reader(text, limits).document();
  } catch {
    return undefined;
  }
}

/** The canonical form of a tree, as one would write it on a blackboard. */
export function writeSlowly(tree: Tree): string {
  if ("members" in tree)
    return `{${tree.members.map(([key, value]) => `${JSON.stringify(key)}:${writeSlowly(value)}`).join(",")}}`;
  if ("elements" in tree) return `[${tree.elements.map(writeSlowly).join(",")}]`;
  return "text" in tree ? JSON.stringify(tree.text) : tree.lexeme;
}

const TOKEN = /[ \t\r\n]*("(?:[^"\\]|\\.)*"|[{}[\],:]|[^ \t\r\n{}[\],:"]+)/y;

class Reader {
  readonly #tokens: string[] = [];
  readonly #limits: ScanLimits;
  #keys = 0;

  constructor(text: string, limits: ScanLimits) {
    this.#limits = limits;
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) this.#tokens.push(match[1] ?? "");
    this.#tokens.reverse();
  }

  document(): Tree {
    return this.#value(0);
  }

  #next(): string {
    const token = this.#tokens.pop();
    if (token === undefined) throw new Error("the tokens end before the document");
    return token;
  }

  #value(depth: number): Tree {
    const token = this.#next();
    if (token === "{" || token === "[") {
      if (depth === this.#limits.maxDepth) throw new Error("too deep");
      return token === "{" ? this.#object(depth + 1) : this.#array(depth + 1);
    }
    if (token.startsWith('"')) return { text: readString(token) };
    if (/^[-0-9]/.test(token)) {
      if (token.length > this.#limits.maxNumberBytes) throw new Error("too long a number");
      if (!Number.isFinite(Number(token))) throw new Error("too large a number");
    }
    return { lexeme: token };
  }

  #object(depth: number): Tree {
    const members: (readonly [string, Tree])[] = [];
    if (this.#tokens.at(-1) === "}") this.#next();
    else
      do {
        const key = readString(this.#next());
        if (++this.#keys > this.#limits.maxKeys) throw new Error("too many keys");
        if (key === "__proto__" || members.some(([name]) => name === key)) throw new Error("a bad key");
        this.#next(); // the colon
        members.push([key, this.#value(depth)]);
      } while (this.#next() === ",");
    return { members };
  }

  #array(depth: number): Tree {
    const elements: Tree[] = [];
    if (this.#tokens.at(-1) === "]") this.#next();
    else
      do {
        elements.push(this.#value(depth));
      } while (this.#next() === ",");
    return { elements };
  }
}

function readString(token: string): string {
  const text = JSON.parse(token) as string;
  if (!text.isWellFormed()) throw new Error("a lone surrogate");
  return text;
}
