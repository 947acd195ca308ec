/**
 * Where policy comes from, as the publisher sees it. A source always delivers everything it has, never a difference, so
 * that a missed or repeated delivery cannot leave the publisher with something that nobody wrote.
 */
import type { About, PolicyDocument } from "../core/policy/document.ts";
import type { Problem } from "../core/result.ts";

/** A problem and its place. `line` counts from 1; of a whole file it is 1, of a folder 0, and the path is empty. */
export type LocatedProblem = Problem & { readonly file: string; readonly line: number };

/** `file:line: path: message`, as compilers print it and editors find it. */
export const formatProblem = ({ file, line, path, message }: LocatedProblem): string =>
  [line === 0 ? file : `${file}:${line}`, ...(path === "" ? [] : [path]), message].join(": ");

type Located = {
  readonly file: string;
  readonly line: number;
  /** The line of what a path of this document (`spec.rules[0].to`) points at, or of the nearest thing around it. */
  readonly lineOf: (path: string) => number;
};

/** A document that has the right form. */
type ValidDocument = Located & {
  readonly kind: "valid";
  readonly key: string;
  readonly document: PolicyDocument;
};

/** A document that has not. What could still be read of it tells which good one it stands for, or whom it is about. */
type InvalidForm = Located &
  About & {
    readonly kind: "invalid";
    /** Kind, namespace and name; `undefined` where they cannot be read. */
    readonly key: string | undefined;
    readonly problems: readonly LocatedProblem[];
  };

export type ReadDocument = ValidDocument | InvalidForm;

/** One file. With `problems` it cannot be believed as a whole: what `documents` then holds is for reporting only. */
export type PolicyFile = {
  readonly file: string;
  readonly documents: readonly ReadDocument[];
  readonly problems: readonly LocatedProblem[];
};

/** All there is, in the order of file names; or why the place itself cannot be read. */
export type Delivery =
  | { readonly kind: "files"; readonly files: readonly PolicyFile[] }
  | { readonly kind: "unreadable"; readonly problem: LocatedProblem };

export type PolicyWatch = Disposable & {
  /** Delivers again, changed or not; resolves when that is done. */
  readonly reload: () => Promise<void>;
};

export type PolicySource = {
  /** Delivers what there is, and again on each change; never two at once. */
  readonly watch: (onDelivery: (delivery: Delivery) => void) => PolicyWatch;
};
