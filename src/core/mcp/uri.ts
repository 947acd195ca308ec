/**
 * Which resource URIs are in normal form (RFC 3986, section 6.2.2, and the URL standard, which official SDKs parse them
 * with). Servers differ in what they do with the rest: `demo://resource/static/../dynamic` has an allowed prefix as text
 * and is another resource to a server that normalises, and `file://localhost/etc/passwd` is `file:///etc/passwd`.
 * Nothing is normalised here.
 */
const SCHEME = /^[a-z][a-z0-9+.-]*:/;
/** No user, no port, no upper case: `HOST` and `host`, `host:80` and `host` are one to some. */
const AUTHORITY = /^[a-z0-9._~-]*$/;
/** Printable ASCII without what URL parsers trim, drop or rewrite: space " < > \\ ^ ` { | } and the fragment. */
const UNSAFE = /[^!$-;=?-[\]_a-z~%]/;
/** Upper-case digits, and no byte that need not be encoded or that changes the path when it is decoded. */
const ESCAPE = /%(?![0-9A-F]{2})|%(?:[01][0-9A-F]|7F|2[DEF5]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE]|5C)/;

/** Why a URI is not in normal form, or undefined when it is. */
export function uriFault(uri: string): string | undefined {
  const scheme = SCHEME.exec(uri)?.[0];
  if (scheme === undefined) return "has no lower-case scheme";
  if (UNSAFE.test(uri)) return "holds a character that must be percent-encoded";
  if (ESCAPE.test(uri)) return "holds a percent-encoding that is not in normal form";
  if (!isDecodable(uri)) return "holds a percent-encoding that is not UTF-8";
  let path = uri.slice(scheme.length);
  let authority: string | undefined;
  if (path.startsWith("//")) {
    const end = path.slice(2).search(/[/?]/);
    authority = end === -1 ? path.slice(2) : path.slice(2, 2 + end);
    if (!AUTHORITY.test(authority)) return "has a user, a port or an upper-case host";
    path = end === -1 ? "" : path.slice(2 + end);
  }
  if (SPECIAL.has(scheme)) {
    const fault = specialFault(scheme, authority, path);
    if (fault !== undefined) return fault;
  }
  const segments = (path.split("?")[0] ?? "").split("/");
  if (segments.includes(".") || segments.includes("..")) return "has dot segments";
  // The first is what stands before the first slash, the last what stands after a trailing one.
  if (segments.slice(1, -1).includes("")) return "has an empty segment";
  return undefined;
}

/** The schemes in which the URL standard rewrites more: a host that is a number, slashes that lack or are too many. */
const SPECIAL: ReadonlySet<string> = new Set(["http:", "https:", "ws:", "wss:", "ftp:", "file:"]);
/** Its last part is a number to some: `2852039166`, `0xa9.254.43518`, `127.1`; also with a dot behind. */
const NUMERIC = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$/;
const DOTTED = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

function specialFault(scheme: string, authority: string | undefined, path: string): string | undefined {
  if (authority === undefined || !path.startsWith("/")) return "needs two slashes, and a path that begins with a slash";
  if (/\?.*'/.test(path)) return "holds a character that must be percent-encoded";
  if (scheme === "file:") return authority === "" ? undefined : "has a host, which a file has not";
  const isNumeric = NUMERIC.test(authority) && !DOTTED.test(authority);
  return authority === "" || authority.endsWith(".") || isNumeric ? "has a host that is not in normal form" : undefined;
}

/** `%C0%AF` is no UTF-8, and a slash to a lenient server. */
function isDecodable(uri: string): boolean {
  if (!uri.includes("%")) return true;
  try {
    decodeURIComponent(uri);
    return true;
  } catch {
    return false;
  }
}
