import { describe, expect, test } from "vitest";
import { parseLinkerdId } from "../../../src/core/identity/linkerd.ts";

describe("parseLinkerdId()", () => {
  test.each([
    ["reader.agents.serviceaccount.identity.linkerd.cluster.local", "spiffe://cluster.local/ns/agents/sa/reader"],
    ["a.b-c.agents.serviceaccount.identity.l5d.td", "spiffe://td/ns/agents/sa/a.b-c"],
    [
      "admin.prod.serviceaccount.identity.linkerd.td.agents.serviceaccount.identity.linkerd.td",
      "spiffe://td/ns/agents/sa/admin.prod.serviceaccount.identity.linkerd.td",
    ],
  ])("is the same workload as the SPIFFE ID of its service account: %s", (name, uri) => {
    expect(parseLinkerdId(name)?.uri).toBe(uri);
    expect(parseLinkerdId(name)?.serviceAccount).toBeDefined();
  });

  test.each([
    "",
    "reader",
    "reader.agents",
    "agents.serviceaccount.identity.linkerd.cluster.local",
    ".agents.serviceaccount.identity.linkerd.cluster.local",
    "reader.agents.serviceaccount.identity.linkerd",
    "reader.agents.serviceaccount.identity.linkerd.",
    "reader.agents.serviceAccount.identity.linkerd.td",
    "Reader.agents.serviceaccount.identity.linkerd.td",
    "reader/x.agents.serviceaccount.identity.linkerd.td",
    "reader.agents.serviceaccount.identity.linkerd.td\n",
    "reader.agents.serviceaccount.identity.linkerd.td, admin.prod.serviceaccount.identity.linkerd.td",
    "..agents.serviceaccount.identity.linkerd.td",
    "spiffe://td/ns/agents/sa/reader",
  ])("refuses %j", (name) => {
    expect(parseLinkerdId(name)).toBeUndefined();
  });
});
