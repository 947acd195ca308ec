/** Where `stat`, `edges` and `authz` get their rows from: one instance by its admin port, or a fleet by its Prometheus. */
import { ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";
import type { AuthzRow } from "../../telemetry/authz.ts";
import type { Edge } from "../../telemetry/edges.ts";
import type { StatKind, StatRow } from "../../telemetry/stat.ts";
import type { AdminClient } from "./admin-client.ts";

export type Answered<Row> = Promise<Result<readonly Row[], string>>;

export type Source = {
  stat(kind: StatKind, windowSeconds: number): Answered<StatRow>;
  edges(windowSeconds: number): Answered<Edge>;
  authz(windowSeconds: number): Answered<AuthzRow>;
};

/** What the admin port says is taken as it is: it is the same program. */
export function instance(client: AdminClient): Source {
  const rows = async <Row>(path: string, windowSeconds: number): Answered<Row> => {
    const answer = await client.read(`${path}?window=${windowSeconds}`);
    return answer.ok ? ok((answer.value as { readonly rows: readonly Row[] }).rows) : answer;
  };
  return {
    stat: (kind, windowSeconds) => rows(`/api/stat/${kind}`, windowSeconds),
    edges: (windowSeconds) => rows("/api/edges", windowSeconds),
    authz: (windowSeconds) => rows("/api/authz", windowSeconds),
  };
}
