import { describe, expect, test } from "vitest";
import { uriFault } from "../../../src/core/mcp/uri.ts";

describe("uriFault() accepts", () => {
  test.each([
    "demo://resource/static/document/features.md",
    "demo://resource/dynamic/text/1",
    "file:///srv/data.txt",
    "https://example.com/a?b=c&d=/e/../f",
    "urn:isbn:0451450523",
    "https://example.com/",
    "http://127.0.0.1/a",
    "http://255.255.255.255/",
    "ws://host/a'b?c",
    "x://127.1/a",
    "x://host./a",
    "x://localhost",
    "x:a?b'c",
    "a+b-c.1:x",
    "x://host",
    "x://host/",
    "x://host/a/",
    "x:/",
    "x:",
    "x:/a.b/..c/d..",
    "x:/a%20b%C3%A9%40",
    "x:/a:b@c!$&'()*+,;=[]",
    `x:/${"a".repeat(2045)}`,
  ])("%s", (uri) => {
    expect(uriFault(uri)).toBeUndefined();
  });
});

describe("uriFault() refuses", () => {
  test.each([
    ["", "has no lower-case scheme"],
    ["/etc/passwd", "has no lower-case scheme"],
    ["//host/a", "has no lower-case scheme"],
    ["Demo://resource/a", "has no lower-case scheme"],
    ["1x:/a", "has no lower-case scheme"],
    [" x:/a", "has no lower-case scheme"],
    ["x:/a ", "holds a character that must be percent-encoded"],
    ["x:/a b", "holds a character that must be percent-encoded"],
    ["x:/a\tb", "holds a character that must be percent-encoded"],
    ["x:/a\n", "holds a character that must be percent-encoded"],
    ["x:/a\r", "holds a character that must be percent-encoded"],
    ["x:/\0", "holds a character that must be percent-encoded"],
    ["x:/a\u007f", "holds a character that must be percent-encoded"],
    ["x:/a\\b", "holds a character that must be percent-encoded"],
    ["x:/a#b", "holds a character that must be percent-encoded"],
    ["x:/{a}", "holds a character that must be percent-encoded"],
    ["x:/é", "holds a character that must be percent-encoded"],
    ["x:/\uff0e\uff0e/a", "holds a character that must be percent-encoded"],
    ['x:/"<>^`|', "holds a character that must be percent-encoded"],
    ["x:/%", "holds a percent-encoding that is not in normal form"],
    ["x:/%2", "holds a percent-encoding that is not in normal form"],
    ["x:/%zz", "holds a percent-encoding that is not in normal form"],
    ["x:/%c3%a9", "holds a percent-encoding that is not in normal form"],
    ["x:/%2e%2e/a", "holds a percent-encoding that is not in normal form"],
    ["x:/%2E%2E/a", "holds a percent-encoding that is not in normal form"],
    ["x:/a%2Fb", "holds a percent-encoding that is not in normal form"],
    ["x:/a%5Cb", "holds a percent-encoding that is not in normal form"],
    ["x:/a%252Fb", "holds a percent-encoding that is not in normal form"],
    ["x:/a%00", "holds a percent-encoding that is not in normal form"],
    ["x:/a%0A", "holds a percent-encoding that is not in normal form"],
    ["x:/a%1F", "holds a percent-encoding that is not in normal form"],
    ["x:/a%7F", "holds a percent-encoding that is not in normal form"],
    ["x:/../a", "has dot segments"],
    ["x:/a/../b", "has dot segments"],
    ["x:/a/./b", "has dot segments"],
    ["x:/a/..", "has dot segments"],
    ["x:/a/.", "has dot segments"],
    ["x:..", "has dot segments"],
    ["x:../a", "has dot segments"],
    ["x://host/..?q", "has dot segments"],
    ["x:/a//b", "has an empty segment"],
    ["x://host//a", "has an empty segment"],
    ["x://host//", "has an empty segment"],
    ["x:////a", "has an empty segment"],
    ["x://HOST/a", "has a user, a port or an upper-case host"],
    ["x://user@host/a", "has a user, a port or an upper-case host"],
    ["x://host:80/a", "has a user, a port or an upper-case host"],
    ["x://ho%C3%A9st/a", "has a user, a port or an upper-case host"],
    ["x://[::1]/a", "has a user, a port or an upper-case host"],
    ["https:a", "needs two slashes, and a path that begins with a slash"],
    ["https:/a", "needs two slashes, and a path that begins with a slash"],
    ["https://host", "needs two slashes, and a path that begins with a slash"],
    ["https://host?a", "needs two slashes, and a path that begins with a slash"],
    ["file:a", "needs two slashes, and a path that begins with a slash"],
    ["file:/etc/passwd", "needs two slashes, and a path that begins with a slash"],
    ["file://", "needs two slashes, and a path that begins with a slash"],
    ["file://localhost/etc/passwd", "has a host, which a file has not"],
    ["file://./etc/passwd", "has a host, which a file has not"],
    ["http:///a", "has a host that is not in normal form"],
    ["http://host./a", "has a host that is not in normal form"],
    ["http://127.1/a", "has a host that is not in normal form"],
    ["http://2130706433/a", "has a host that is not in normal form"],
    ["http://0x7f.0.0.1/a", "has a host that is not in normal form"],
    ["http://0x/a", "has a host that is not in normal form"],
    ["http://127.0.0.01/a", "has a host that is not in normal form"],
    ["http://256.0.0.1/a", "has a host that is not in normal form"],
    ["http://1.2.3.4.5/a", "has a host that is not in normal form"],
    ["http://a.1/b", "has a host that is not in normal form"],
    ["http://127.0.0.1./a", "has a host that is not in normal form"],
    ["https://host/?a'b", "holds a character that must be percent-encoded"],
  ])("%j, which %s", (uri, fault) => {
    expect(uriFault(uri)).toBe(fault);
  });

  test("every escape of a character that needs none, and no other of ASCII", () => {
    const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    for (let byte = 0; byte <= 0x7f; byte++) {
      const char = String.fromCharCode(byte);
      const isRefused = byte < 0x20 || byte === 0x7f || /[A-Za-z0-9\-._~/\\%]/.test(char);
      expect(uriFault(`x:/${hex(byte)}`) !== undefined, hex(byte)).toBe(isRefused);
    }
  });

  test.each(["%80", "%FF", "%C3", "%C0%AF", "%ED%A0%80", "%F4%90%80%80"])("%s, which is no UTF-8", (escapes) => {
    expect(uriFault(`x:/a${escapes}`)).toBe("holds a percent-encoding that is not UTF-8");
    expect(uriFault("x:/a%C3%A9%E2%82%AC")).toBeUndefined();
  });

  test("every character that a URI cannot hold", () => {
    for (let unit = 0; unit <= 0xff; unit++) {
      const char = String.fromCharCode(unit);
      const isLegal = /[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=]/.test(char);
      expect(uriFault(`x:/a${char}b`) === undefined, JSON.stringify(char)).toBe(isLegal);
    }
  });

  test("what a URL parser would turn into another resource under an allowed prefix", () => {
    const prefix = "demo://resource/static/";
    for (const rest of ["../dynamic/text/1", "%2e%2e/dynamic/text/1", ".\t./dynamic", ".%2E/dynamic", "..\\dynamic"]) {
      expect(uriFault(prefix + rest), rest).toBeDefined();
    }
  });
});
