import { describe, expect, test } from "vitest";
import { absenceReason, callerName, isNobody } from "../../../src/core/identity/identity.ts";
import type { WorkloadAbsence } from "../../../src/core/identity/identity.ts";
import { ANONYMOUS, identity, ISSUER, READER, user } from "../../fixtures/identities.ts";

describe("callerName()", () => {
  test("is the service account, else the SPIFFE ID, else the subject, else the issuer, else anonymous", () => {
    expect(callerName(identity("spiffe://cluster.local/ns/agents/sa/reader", { iss: ISSUER, sub: "ada" }))).toBe(
      "agents/reader",
    );
    expect(callerName(identity("spiffe://td/workload", { iss: ISSUER, sub: "ada" }))).toBe("spiffe://td/workload");
    expect(callerName(user({}))).toBe("ada");
    expect(callerName(identity(undefined, { iss: "idp" }))).toBe("idp");
    expect(callerName(ANONYMOUS)).toBe("anonymous");
  });

  test.each(["agents/reader", "spiffe://td/a", "anonymous", "_unknown", "_", "dns:a", "subject:CN=a", "user:ada"])(
    "never lets the subject %j pass for another kind of caller",
    (sub) => {
      expect(callerName(user({ sub }))).toBe(`user:${sub}`);
    },
  );
});

test.each(["anonymous-2", "not-anonymous", "search_agent", "team-user:ada", "ada@idp.example"])(
  "callerName() leaves the subject %j as it is, which is nobody else's name",
  (sub) => {
    expect(callerName(user({ sub }))).toBe(sub);
  },
);

describe("isNobody()", () => {
  const ABSENCES: Readonly<Record<WorkloadAbsence, boolean>> = {
    "no-certificate": true,
    "no-name": true,
    "xfcc-missing": true,
    "linkerd-client-missing": true,
    "certificate-not-valid": false,
    "several-uri-sans": false,
    "not-a-spiffe-id": false,
    "identities-differ": false,
    "xfcc-malformed": false,
    "xfcc-too-few-hops": false,
    "not-a-linkerd-id": false,
  };

  test("is true of who has shown no workload, and of none who hides which: a Deny rule has to be about that one", () => {
    for (const absent of Object.keys(ABSENCES) as WorkloadAbsence[])
      expect([absent, isNobody({ absent })]).toEqual([absent, ABSENCES[absent]]);
  });
});

describe("absenceReason()", () => {
  test("says both reasons when there is nobody, and nothing when there is somebody", () => {
    expect(absenceReason(ANONYMOUS)).toBe("no-certificate, jwt-missing");
    expect(absenceReason(identity("https://x", {}))).toBe("not-a-spiffe-id, jwt-without-issuer");
    expect(absenceReason(READER)).toBeUndefined();
    expect(absenceReason(user({}))).toBeUndefined();
  });
});
