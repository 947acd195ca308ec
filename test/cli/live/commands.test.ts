/** What a person reads who asks a Toolgate that is not there, or asks wrongly, and the exit code that a script sees. */
import { describe, expect, test } from "vitest";
import { runToolgate } from "../../envoy/toolgate-process.ts";

describe("a command without a Toolgate", () => {
  const nowhere = ["--admin", "http://127.0.0.1:1"];

  test.each([
    [
      ["stat", "servers", ...nowhere],
      1,
      "http://127.0.0.1:1 cannot be reached (ECONNREFUSED): is Toolgate's admin port there? See --admin\n",
    ],
    [
      ["tap", ...nowhere],
      1,
      "http://127.0.0.1:1 cannot be reached (ECONNREFUSED): is Toolgate's admin port there? See --admin\n",
    ],
    [
      ["top", ...nowhere],
      1,
      "http://127.0.0.1:1 cannot be reached (ECONNREFUSED): is Toolgate's admin port there? See --admin\n",
    ],
    [
      ["stat", "servers", "--prometheus", "http://127.0.0.1:65534"],
      1,
      "http://127.0.0.1:65534 cannot be asked (ECONNREFUSED): is Prometheus there? See --prometheus\n",
    ],
    [["stat", "things"], 2, "stat things: expected servers or tools or prompts or resources\n"],
    [["edges", "--window", "5"], 2, "--window 5: expected a whole number of seconds from 10\n"],
    [["edges", "-o", "yaml"], 2, "--output yaml: expected table or wide or json\n"],
    [["authz", "--admin", "ftp://somewhere"], 2, "--admin ftp://somewhere: expected http://host:port or unix:/path\n"],
    [
      ["tap", "--prometheus", "http://127.0.0.1:1"],
      2,
      "tap shows calls as they end, which Prometheus does not have: ask an instance with --admin\n",
    ],
    [
      ["top", "--prometheus", "http://127.0.0.1:1"],
      2,
      "top shows calls as they end, which Prometheus does not have: ask an instance with --admin\n",
    ],
  ])("%j ends with %d and a sentence", async (args, code, sentence) => {
    await using program = runToolgate(...args);
    expect([await program.exitCode(), program.stdout, program.stderr]).toEqual([code, "", sentence]);
  });
});
