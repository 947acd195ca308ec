/** The slow twin of `policy/pattern.ts`: a regular expression, which may take exponential time and so is never used. */
export const matchesSlowly = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((text) => RegExp.escape(text))
      .join("[^]*")}$`,
    "u",
  ).test(name);
