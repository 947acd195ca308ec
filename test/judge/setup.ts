/** The one place for all tests: none of them has seen an OK with an answer owed, or two answers to one message. */
import { afterEach, expect } from "vitest";
import "./everywhere.ts";
import { violations } from "./judged.ts";

afterEach(() => expect(violations.splice(0)).toEqual([]));
