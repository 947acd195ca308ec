import * as fc from "fast-check";

/** The same documents in each run, so that no mutant dies by luck; and no time is spent on small counterexamples. */
fc.configureGlobal({ seed: 20_261_125, endOnFailure: true });
