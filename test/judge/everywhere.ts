/** Judges whatever a server of this process serves. Imported by each test with a server, and by Toolgate as a process. */
import { RpcStream } from "../../src/grpc/rpc.ts";
import { judged } from "./judged.ts";

const run = Reflect.get(RpcStream.prototype, "run");
RpcStream.prototype.run = function (handler, headers) {
  run.call(this, judged(handler), headers);
};
