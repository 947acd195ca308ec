/** The HTTP filters of a connection manager, in their order, and which of them ask Toolgate. */
import type { Manager } from "./envoy-config.ts";
import type { Place } from "./place.ts";

export const EXT_PROC = "ext_proc.v3.ExternalProcessor";
const EXT_AUTHZ = "ext_authz.v3.ExtAuthz";

export type HttpFilter = {
  readonly name: string;
  readonly place: Place;
  /** Its configuration. */
  readonly config: Place;
  readonly isOff: boolean;
};

export const httpFilters = ({ config }: Manager): readonly HttpFilter[] =>
  config.at("http_filters").items.map((place) => ({
    name: place.at("name").text ?? "",
    place,
    config: place.at("typed_config"),
    isOff: place.at("disabled").isTrue,
  }));

/** By the cluster that it asks. */
export function asksToolgate({ config }: HttpFilter, cluster: string): boolean {
  return (config.type === EXT_PROC || config.type === EXT_AUTHZ) && isToolgate(config.at("grpc_service"), cluster);
}

/** Whether this `grpc_service` is Toolgate. In a mesh the name of a cluster is longer than the service's. */
export function isToolgate(service: Place, cluster: string): boolean {
  const asked = service.at("envoy_grpc", "cluster_name").text ?? service.at("google_grpc", "target_uri").text ?? "";
  return asked.split(/[^\w-]/).includes(cluster);
}
