/** P2. What is forwarded would be forwarded again, byte for byte: there is one form, and we are not the only one to read it. */
import assert from "node:assert/strict";
import type { RequestCase } from "../case.ts";
import { requests } from "../generators/requests.ts";
import { judge } from "../judge.ts";
import type { Property } from "../property.ts";
import { CALLERS, POLICIES } from "../world.ts";

export const idempotence: Property<RequestCase> = {
  name: "idempotence",
  promise: "what is forwarded is forwarded again without a change",
  needs: [],
  cases: requests,
  check({ caller, headers, body }) {
    const who = { policies: POLICIES, identity: CALLERS[caller] };
    const once = judge({ ...who, headers, body });
    if (once.kind === "blocked") return `blocked: ${once.reason}`;
    // The refusal that it brings back may be longer than an id may be.
    if (once.isSealed) return "sealed";
    const twice = judge({ ...who, headers: once.headers, body: once.body });
    assert.deepEqual(twice, once, "it is judged or written otherwise a second time");
    return Buffer.compare(once.body, body) === 0 ? "forwarded as it came" : "forwarded in canonical form";
  },
};
