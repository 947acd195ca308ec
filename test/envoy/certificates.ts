/** A small CA for one test: a certificate for Envoy, and one for each workload, with its SPIFFE ID as the URI name. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const DAYS = "2";
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** PEM texts. */
export type Certificate = { readonly cert: string; readonly key: string };

export class Authority implements AsyncDisposable {
  readonly #folder: string;
  /** The CA's own certificate. */
  readonly cert: string;

  private constructor(folder: string, cert: string) {
    this.#folder = folder;
    this.cert = cert;
  }

  static async create(): Promise<Authority> {
    const folder = await mkdtemp(join(tmpdir(), "toolgate-ca-"));
    const files = ["-keyout", join(folder, "ca.key"), "-out", join(folder, "ca.crt")];
    await run("openssl", ["req", "-x509", ...KEY, ...files, "-days", DAYS, "-subj", "/CN=test-ca"]);
    return new Authority(folder, await readFile(join(folder, "ca.crt"), "utf8"));
  }

  /** `names` as in openssl's subjectAltName: `URI:spiffe://...`, `IP:127.0.0.1`. The subject is `CN=test`. */
  issue(...names: readonly string[]): Promise<Certificate> {
    return this.issueTo("/CN=test", ...names);
  }

  /** `subject` as openssl takes it: the most general part first, each behind a slash. */
  async issueTo(subject: string, ...names: readonly string[]): Promise<Certificate> {
    const [key, request, cert, extension] = ["leaf.key", "leaf.csr", "leaf.crt", "leaf.ext"].map((name) =>
      join(this.#folder, name),
    ) as [string, string, string, string];
    await writeFile(extension, names.length === 0 ? "" : `subjectAltName=${names.join(",")}\n`);
    await run("openssl", [
      "req",
      ...KEY,
      "-keyout",
      key,
      "-out",
      request,
      "-utf8",
      "-multivalue-rdn",
      "-subj",
      subject,
    ]);
    const authority = ["-CA", join(this.#folder, "ca.crt"), "-CAkey", join(this.#folder, "ca.key"), "-CAcreateserial"];
    await run("openssl", [
      "x509",
      "-req",
      "-in",
      request,
      ...authority,
      "-out",
      cert,
      "-days",
      DAYS,
      "-extfile",
      extension,
    ]);
    return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
