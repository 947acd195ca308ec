/**
 * A place in a configuration that somebody else has written: what stands there, if anything, and how to say where it is.
 * Envoy takes a member under its name in the proto and in camel case, and so does this.
 */
export class Place {
  /** The file, or the address that it was read from. */
  readonly source: string;
  /** As in `static_resources.listeners[0]`. */
  readonly path: string;
  readonly value: unknown;

  constructor(source: string, path: string, value: unknown) {
    this.source = source;
    this.path = path;
    this.value = value;
  }

  get isThere(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  get isTrue(): boolean {
    return this.value === true || this.value === "true";
  }

  /** Undefined when it is no text. */
  get text(): string | undefined {
    return typeof this.value === "string" ? this.value : undefined;
  }

  /** The elements of a list; none when it is none. */
  get items(): readonly Place[] {
    return Array.isArray(this.value) ? this.value.map((one: unknown, i) => this.#inside(`[${i}]`, one)) : [];
  }

  /** The members of this name, however deep below. */
  all(name: string): readonly Place[] {
    const parts = [...entriesOf(this.value).map(([key]) => this.#exactly(key)), ...this.items];
    const own = this.at(name);
    return [...(own.isThere ? [own] : []), ...parts.flatMap((part) => part.all(name))];
  }

  /** The texts in a list. */
  get texts(): readonly string[] {
    return this.items.flatMap(({ text }) => (text === undefined ? [] : [text]));
  }

  /** The type of an `Any` as far as it tells types apart: `lua.v3.Lua`. */
  get type(): string {
    return (this.#exactly("@type").text ?? "").split(".").slice(-3).join(".");
  }

  /** The member, by names of the proto from the outside in. */
  at(...names: readonly string[]): Place {
    return names.reduce<Place>((place, name) => {
      const camel = place.#exactly(toCamel(name));
      return camel.isThere ? camel : place.#exactly(name);
    }, this);
  }

  /** The member under a name that somebody has chosen. */
  of(name: string): Place {
    return this.#exactly(name);
  }

  #exactly(name: string): Place {
    const part = /^[\w-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
    return this.#inside(part, entriesOf(this.value).find(([one]) => one === name)?.[1]);
  }

  #inside(part: string, value: unknown): Place {
    const path = this.path === "" && part.startsWith(".") ? part.slice(1) : `${this.path}${part}`;
    return new Place(this.source, path, value);
  }
}

const entriesOf = (value: unknown): readonly [string, unknown][] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

const toCamel = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** One thing that is wrong, where, and what to set. */
export type Finding = { readonly at: Place; readonly message: string };
