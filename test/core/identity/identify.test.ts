import { describe, expect, test } from "vitest";
import { forwardedHeaders, identify } from "../../../src/core/identity/identify.ts";
import type { Peer, Trust } from "../../../src/core/identity/identify.ts";
import type { Claim } from "../../../src/core/identity/identity.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { peer } from "../../fixtures/identities.ts";

const URI = "spiffe://cluster.local/ns/agents/sa/reader";
const OTHER = "spiffe://cluster.local/ns/agents/sa/writer";
const trustDomain = "cluster.local";
const PEER: Trust = { workload: "peer", trustDomain };
const LINKERD: Trust = { workload: "linkerd", trustDomain };
const hops = (count: number): Trust => ({ workload: "xfcc", hops: count, trustDomain });
const xfcc = (value: string): HeaderList => [["x-forwarded-client-cert", value]];
const l5d = (value: string): HeaderList => [["l5d-client-id", value]];
const LINKERD_READER = "reader.agents.serviceaccount.identity.linkerd.cluster.local";

const workload = (from: Peer, headers: HeaderList = [], trust: Trust = PEER) =>
  identify({ peer: from, headers, jwtPayload: undefined }, trust).workload;

describe("identify() a workload by the certificate of its connection", () => {
  test("which was checked and has exactly one URI SAN", () => {
    expect(workload(peer(URI))).toMatchObject({ uri: URI });
    expect(workload(peer(URI, { certificateValid: true }))).toMatchObject({ uri: URI });
    expect(workload(peer(URI, { dnsSan: "a.example", subject: "CN=a" }), xfcc(`By=x;URI=${URI}`))).toMatchObject({
      uri: URI,
    });
  });

  test("by its weaker names where it has no URI: a DNS name, then the subject", () => {
    expect(workload(peer("", { dnsSan: "a.example", subject: "CN=a" }))).toEqual({
      uri: "dns:a.example",
      name: "dns:a.example",
    });
    expect(workload(peer("", { subject: "CN=a,O=b" }))).toEqual({ uri: "subject:CN=a,O=b", name: "subject:CN=a,O=b" });
    expect(workload(peer("", { dnsSan: "", subject: "CN=a" }))).toEqual({ uri: "subject:CN=a", name: "subject:CN=a" });
    const others = xfcc(`URI=${URI};URI=${OTHER}`);
    expect(workload(peer("", { dnsSan: "a.example" }), others)).toMatchObject({ uri: "dns:a.example" });
  });

  test.each<readonly [string, Peer, HeaderList, string]>([
    ["none", peer(undefined, { dnsSan: "a.example", subject: "CN=a" }), [], "no-certificate"],
    ["one that nobody has checked", peer(URI, { certificateValid: false }), [], "certificate-not-valid"],
    ["the same with a weaker name", peer("", { certificateValid: false, dnsSan: "a" }), [], "certificate-not-valid"],
    ["one without a name", peer(""), [], "no-name"],
    ["one with empty names", peer("", { dnsSan: "", subject: "" }), [], "no-name"],
    ["one with two URIs", peer(URI), xfcc(`URI=${URI};URI=${OTHER}`), "several-uri-sans"],
    ["one with the same URI twice", peer(URI), xfcc(`URI=${URI};URI=${URI}`), "several-uri-sans"],
    ["two URIs behind a forged element", peer(URI), xfcc(`URI=${URI},URI=${URI};URI=${OTHER}`), "several-uri-sans"],
    ["a header that hides what it has", peer(URI), xfcc(`Subject="a,URI=${URI};URI=${OTHER}`), "xfcc-malformed"],
    ["one for a web site", peer("https://example.com", { dnsSan: "a.example" }), [], "not-a-spiffe-id"],
    ["one for nearly a SPIFFE ID", peer(`${URI}/`, { dnsSan: "a.example" }), [], "not-a-spiffe-id"],
    ["one for a word", peer("constructor"), [], "not-a-spiffe-id"],
  ])("not by %s", (_, from, headers, absent) => {
    expect(workload(from, headers)).toEqual({ absent });
  });

  test("also where a comma in its subject has a backslash in the header that counts its URIs", () => {
    const header = xfcc(`Hash=ab;Subject="CN=a\\"b,O=Acme\\, Inc.";URI=${URI}`);
    expect(workload(peer(URI), header)).toMatchObject({ uri: URI });
    expect(workload(peer(URI), xfcc(`Subject="O=\\"";URI=${URI};URI=${OTHER}`))).toEqual({
      absent: "several-uri-sans",
    });
    expect(workload(peer(), header, hops(1))).toEqual({ absent: "xfcc-malformed" });
  });

  test("and never by a header", () => {
    expect(workload(peer(), [...xfcc(`URI=${URI}`), ...l5d(LINKERD_READER)])).toEqual({ absent: "no-certificate" });
    expect(workload(peer(OTHER), [...xfcc(`URI=${URI}`), ...l5d(LINKERD_READER)])).toMatchObject({ uri: OTHER });
  });
});

test("identify() calls a service account by its name in its own trust domain alone, or two callers had one name", () => {
  expect(workload(peer(URI))).toEqual({ uri: URI, name: "agents/reader" });
  const partner = "spiffe://partner.example/ns/agents/sa/reader";
  expect(workload(peer(partner))).toEqual({ uri: partner, name: partner });
  expect(workload(peer("spiffe://cluster.local/x"))).toMatchObject({ name: "spiffe://cluster.local/x" });
});

describe("identify() a workload by what Istio says of the peer", () => {
  test("where Envoy sees no certificate, as in a waypoint, and where both say the same", () => {
    expect(workload(peer(undefined, { istioPrincipal: URI }))).toMatchObject({ uri: URI });
    expect(workload(peer(URI, { istioPrincipal: URI }))).toMatchObject({ uri: URI });
  });

  test("not where they say different things, or one of them nothing good", () => {
    expect(workload(peer(OTHER, { istioPrincipal: URI }))).toEqual({ absent: "identities-differ" });
    expect(workload(peer("", { dnsSan: "a.example", istioPrincipal: URI }))).toEqual({ absent: "identities-differ" });
    expect(workload(peer(URI, { certificateValid: false, istioPrincipal: URI }))).toEqual({
      absent: "certificate-not-valid",
    });
    expect(workload(peer(URI, { istioPrincipal: "reader" }))).toEqual({ absent: "not-a-spiffe-id" });
  });

  test("is nothing when it is empty", () => {
    expect(workload(peer(URI, { istioPrincipal: "" }))).toMatchObject({ uri: URI });
    expect(workload(peer(undefined, { istioPrincipal: "" }))).toEqual({ absent: "no-certificate" });
  });
});

describe("identify() a workload by x-forwarded-client-cert", () => {
  test("the element of the outermost trusted hop, not the certificate of the proxy before us", () => {
    const header = xfcc(`URI=spiffe://td/forged,URI=${URI},By=x;URI=${OTHER}`);
    expect(workload(peer("spiffe://td/proxy"), header, hops(1))).toMatchObject({ uri: OTHER });
    expect(workload(peer(), header, hops(2))).toMatchObject({ uri: URI });
  });

  test("by its weaker names where it has no URI", () => {
    expect(workload(peer(), xfcc('Subject="CN=a";DNS=a.example'), hops(1))).toEqual({
      uri: "dns:a.example",
      name: "dns:a.example",
    });
    // What Envoy writes where a certificate has none of what it is told to write.
    expect(workload(peer(), xfcc('Subject="";URI=;DNS=a.example'), hops(1))).toMatchObject({ uri: "dns:a.example" });
    expect(workload(peer(), xfcc('Subject="CN=a,O=b"'), hops(1))).toEqual({
      uri: "subject:CN=a,O=b",
      name: "subject:CN=a,O=b",
    });
  });

  test.each<readonly [string, HeaderList, Trust, string]>([
    ["no header", [], hops(1), "xfcc-missing"],
    ["fewer elements than hops", xfcc(`URI=${URI}`), hops(2), "xfcc-too-few-hops"],
    ["a quote that does not close", xfcc(`Subject="a,URI=${URI}`), hops(1), "xfcc-malformed"],
    ["two URIs", xfcc(`URI=${URI};URI=${OTHER}`), hops(1), "several-uri-sans"],
    ["no name", xfcc("By=spiffe://td/gw;Hash=ab"), hops(1), "no-name"],
    ["an empty header", xfcc(""), hops(1), "no-name"],
    ["no SPIFFE ID", xfcc("URI=https://example.com;DNS=a.example"), hops(1), "not-a-spiffe-id"],
    ["the header of Linkerd", l5d(LINKERD_READER), hops(1), "xfcc-missing"],
  ])("not by %s", (_, headers, trust, absent) => {
    expect(workload(peer(URI), headers, trust)).toEqual({ absent });
  });
});

describe("identify() a workload by l5d-client-id", () => {
  test("as the service account that it names", () => {
    expect(workload(peer(), l5d(LINKERD_READER), LINKERD)).toEqual(workload(peer(URI)));
  });

  test.each<readonly [string, HeaderList, string]>([
    ["no header", [], "linkerd-client-missing"],
    ["the header of Envoy", xfcc(`URI=${URI}`), "linkerd-client-missing"],
    ["another name", l5d("reader"), "not-a-linkerd-id"],
    ["two of them", [...l5d(LINKERD_READER), ...l5d(LINKERD_READER)], "not-a-linkerd-id"],
  ])("not by %s", (_, headers, absent) => {
    expect(workload(peer(URI), headers, LINKERD)).toEqual({ absent });
  });
});

describe("forwardedHeaders()", () => {
  const BOTH = [...xfcc("URI=spiffe://td/forged, URI=b;By=x,URI=c"), ...l5d(LINKERD_READER)];

  test("takes away what nobody is believed to have written", () => {
    expect(forwardedHeaders(BOTH, PEER)).toEqual({ set: [], remove: ["l5d-client-id", "x-forwarded-client-cert"] });
    expect(forwardedHeaders(l5d("x"), PEER)).toEqual({ set: [], remove: ["l5d-client-id"] });
    expect(forwardedHeaders(BOTH, LINKERD)).toEqual({ set: [], remove: ["x-forwarded-client-cert"] });
  });

  test("leaves the elements of the trusted hops, or nothing of a header that cannot be read", () => {
    const set = (value: string) => [["x-forwarded-client-cert", value]];
    expect(forwardedHeaders(BOTH, hops(1))).toEqual({ set: set("URI=c"), remove: ["l5d-client-id"] });
    expect(forwardedHeaders(BOTH, hops(2))).toEqual({ set: set(" URI=b;By=x,URI=c"), remove: ["l5d-client-id"] });
    expect(forwardedHeaders(xfcc('"'), hops(1))).toEqual({ set: [], remove: ["x-forwarded-client-cert"] });
  });

  test("changes nothing where there is no such header", () => {
    for (const trust of [PEER, LINKERD, hops(1)])
      expect(forwardedHeaders([["x-forwarded-for", "::1"]], trust)).toEqual({ set: [], remove: [] });
    expect(forwardedHeaders(l5d("x"), LINKERD)).toEqual({ set: [], remove: [] });
  });
});

describe("identify() a user", () => {
  const user = (jwtPayload: { readonly [name: string]: Claim } | undefined) =>
    identify({ peer: peer(), headers: [], jwtPayload }, PEER).user;

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
  const both = identify({ peer: peer(URI), headers: [], jwtPayload: { iss: "https://idp" } }, PEER);
  expect(both).toMatchObject({ workload: { uri: URI }, user: { issuer: "https://idp" } });
});
