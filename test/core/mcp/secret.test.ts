import { describe, expect, test } from "vitest";
import { isSecretName, looksSecret } from "../../../src/core/mcp/secret.ts";

/** Assembled, so that no reader of this repository takes them for real ones. */
const token = (prefix: string): string => `${prefix}${"a1B2c3D4e5".repeat(4)}`;
const JWT = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJhbm4ifQ", "c2lnbmF0dXJl"].join(".");

describe("a text looks like a secret", () => {
  test.each([
    ["Bearer abcdefghijkl"],
    ["Bearer   abcdefghijkl"],
    ["authorization header: bearer abcdefghijkl"],
    ["Basic dXNlcjpwYXNzd29yZA=="],
    [JWT],
    [`in a sentence ${JWT}, and more`],
    ["-----BEGIN PRIVATE KEY-----\nMIIE"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----"],
    [token("ghp_")],
    [token("github_pat_")],
    [token("glpat-")],
    [token("xoxb-")],
    [token("npm_")],
    [token("sk-")],
    [token("rk_live_")],
    ["AKIA" + "A1B2C3D4".repeat(2)],
    [token("AIza")],
    ["https://ann:hunter2@host/path"],
    ["postgres://:hunter2@host"],
    ["https://host/?a=1&access_token=x"],
    ['{"password": "hunter2"}'],
    ["curl -H 'Authorization: x'"],
    ["password = hunter2"],
    ["apikey=hunter2"],
    ["?api_key=hunter2"],
    ["mysql --password hunter2"],
    ["mysql --password   hunter2"],
    [`${"x".repeat(900)} password=hunter2`],
  ])("%j", (text) => expect(looksSecret(text)).toBe(true));
});

describe("a text does not look like a secret", () => {
  test.each([
    [""],
    ["/etc/hosts"],
    ["the secret of a good token is in the password"],
    ["a bearer of news"],
    ["eyJ"],
    ["eyJohnson.md"],
    ["ASIAN"],
    ["AIzawa"],
    ["https://host:8080/a@b"],
    ["select * from basic where sk = 'sk-1'"],
    ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    [`${"x".repeat(1_100)} password=hunter2`],
  ])("%j", (text) => expect(looksSecret(text)).toBe(false));
});

test("a name is one of a secret in any spelling, and whole words alone where they are short", () => {
  for (const name of [
    "password",
    "userPassword",
    "PASSWD",
    "client_secret",
    "access_token",
    "Authorization",
    "api-key",
  ])
    expect([name, isSecretName(name)]).toEqual([name, true]);
  for (const name of ["apiKey", "private_key", "cookie", "sessionId", "pin", "auth", "credentials", "otp"])
    expect([name, isSecretName(name)]).toEqual([name, true]);
  for (const name of ["path", "query", "pinned", "author", "key", "monkey", "prototype", "spin", ""])
    expect([name, isSecretName(name)]).toEqual([name, false]);
});

test("what a caller sends to make the search long costs no more than its first kilobyte", () => {
  for (const piece of ["-eyJ", "://:", "Bearer  ", "password   ", "--token   ", "sk-"]) {
    const hostile = piece.repeat(200_000);
    expect(looksSecret(hostile)).toBe(looksSecret(hostile.slice(0, 1_024)));
  }
});
