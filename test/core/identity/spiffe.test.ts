import { describe, expect, test } from "vitest";
import { parseSpiffeId } from "../../../src/core/identity/spiffe.ts";

describe("parseSpiffeId()", () => {
  test("knows the form of a Kubernetes workload", () => {
    expect(parseSpiffeId("spiffe://cluster.local/ns/agents/sa/reader")).toEqual({
      uri: "spiffe://cluster.local/ns/agents/sa/reader",
      serviceAccount: { trustDomain: "cluster.local", namespace: "agents", name: "reader" },
    });
  });

  test.each([
    "spiffe://td",
    "spiffe://td/workload",
    "spiffe://td/ns/agents/sa",
    "spiffe://td/ns/agents/sa/reader/x",
    "spiffe://td/sa/reader/ns/agents",
    "spiffe://td/NS/agents/sa/reader",
    "spiffe://td/ns/agents/pod/reader",
    "spiffe://1.2-3_4/A.b-c_D/...x",
    `spiffe://${"a".repeat(255)}/b`,
    `spiffe://td/${"a".repeat(2036)}`,
  ])("takes %s, which is no service account", (uri) => {
    expect(parseSpiffeId(uri)).toEqual({ uri, serviceAccount: undefined });
  });

  test.each([
    "",
    "td/workload",
    "spiffe:/td/a",
    "SPIFFE://td/a",
    "Spiffe://td/a",
    "https://td/a",
    "spiffe://",
    "spiffe:///a",
    "spiffe://TD/a",
    "spiffe://td/",
    "spiffe://td/a/",
    "spiffe://td//a",
    "spiffe://td/a//b",
    "spiffe://td/.",
    "spiffe://td/a/../b",
    "spiffe://td/a/./b",
    "spiffe://td/..",
    "spiffe://td:80/a",
    "spiffe://user@td/a",
    "spiffe://td/a?b",
    "spiffe://td/a#b",
    "spiffe://td/a%2fb",
    "spiffe://td/a b",
    " spiffe://td/a",
    "spiffe://td/a\n",
    "spiffe://td/a\0",
    "spiffe://td/é",
    "spiffe://td/a,spiffe://td/b",
    "spiffe://td/*",
    `spiffe://${"a".repeat(256)}/b`,
    `spiffe://td/${"a".repeat(2037)}`,
  ])("refuses %j", (uri) => {
    expect(parseSpiffeId(uri)).toBeUndefined();
  });
});
