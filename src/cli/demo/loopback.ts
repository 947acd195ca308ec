/**
 * Loaded into the MCP server before its own code (`node --import`): binds it to the loopback interface. By itself it
 * listens on every interface, and a server that can be reached past Envoy makes every policy a matter of politeness.
 */
import { Server } from "node:net";

type Listen = (this: Server, port: string | number, onListening: () => void) => Server;

const listen = Reflect.get(Server.prototype, "listen") as (
  this: Server,
  options: object,
  onListening: () => void,
) => Server;

const listenOnLoopback: Listen = function listenOnLoopback(port, onListening) {
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, onListening);
};

Reflect.set(Server.prototype, "listen", listenOnLoopback);
