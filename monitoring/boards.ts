/** The three dashboards. */
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { policyBoard } from "./policy-board.ts";
import { serversBoard } from "./servers-board.ts";
import { toolsBoard } from "./tools-board.ts";

/** As it is sold: with the address in Grafana by which it is found again. */
type Board = Dashboard & { readonly uid: string };

export const boards: readonly Board[] = [serversBoard, toolsBoard, policyBoard].map(({ uid, ...board }) => {
  if (uid === undefined) throw new Error(`the dashboard ${board.title} has no uid`);
  return { ...board, uid };
});
