import { describe, expect, test } from "vitest";
import { identify } from "../../../src/core/identity/attributes.ts";
import type { Attributes } from "../../../src/core/identity/attributes.ts";

const URI = "spiffe://cluster.local/ns/agents/sa/reader";
const NOTHING: Attributes = { mtls: false, certificateValid: undefined, uriSans: [], jwtPayload: undefined };
const MTLS: Attributes = { ...NOTHING, mtls: true, uriSans: [URI] };

describe("identify() a workload", () => {
  test("by exactly one URI SAN of a certificate that was checked", () => {
    expect(identify(MTLS).workload).toMatchObject({ uri: URI });
    expect(identify({ ...MTLS, certificateValid: true }).workload).toMatchObject({ uri: URI });
  });

  test.each<readonly [Partial<Attributes>, string]>([
    [{ mtls: false }, "no-certificate"],
    [{ certificateValid: false }, "certificate-not-valid"],
    [{ uriSans: [] }, "no-uri-san"],
    [{ uriSans: [""] }, "no-uri-san"],
    [{ uriSans: [URI, URI] }, "several-uri-sans"],
    [{ uriSans: [URI, ""] }, "several-uri-sans"],
    [{ uriSans: ["https://example.com"] }, "not-a-spiffe-id"],
    [{ uriSans: [`${URI}/`] }, "not-a-spiffe-id"],
    [{ uriSans: ["constructor"] }, "not-a-spiffe-id"],
  ])("not when %j: %s", (more, absent) => {
    expect(identify({ ...MTLS, ...more }).workload).toEqual({ absent });
  });
});

describe("identify() a user", () => {
  const user = (jwtPayload: Attributes["jwtPayload"]) => identify({ ...NOTHING, jwtPayload }).user;

  test("by the issuer of a verified token, with all of its claims", () => {
    const payload = { iss: "https://idp", sub: "ada", team: ["search"] };
    expect(user(payload)).toEqual({ issuer: "https://idp", subject: "ada", claims: payload });
  });

  test("without a subject where it is no text", () => {
    for (const sub of [1, null, ["ada"], { ada: true }, true])
      expect(user({ iss: "https://idp", sub })).toMatchObject({ issuer: "https://idp", subject: undefined });
    expect(user({ iss: "https://idp" })).toMatchObject({ subject: undefined });
  });

  test("not without a token, and not without an issuer", () => {
    expect(user(undefined)).toEqual({ absent: "jwt-missing" });
    for (const payload of [{}, { sub: "ada" }, { iss: "" }, { iss: 1 }, { iss: ["https://idp"] }, { iss: null }])
      expect(user(payload)).toEqual({ absent: "jwt-without-issuer" });
  });
});

test("identify() reads workload and user apart from each other", () => {
  const both = identify({ ...MTLS, jwtPayload: { iss: "https://idp" } });
  expect(both).toMatchObject({ workload: { uri: URI }, user: { issuer: "https://idp" } });
});
