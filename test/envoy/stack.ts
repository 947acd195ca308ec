/**
 * The whole thing for one test file: Toolgate as a process, a real Envoy in front of an upstream, and callers with tokens.
 * Everything is ready when `start` resolves, and gone when the stack is disposed of.
 */
import { Gateway } from "./gateway.ts";
import type { GatewayOptions } from "./gateway.ts";
import { createIssuer } from "./tokens.ts";
import { Toolgate } from "./toolgate-process.ts";
import type { ToolgateOptions } from "./toolgate-process.ts";

export type StackOptions = ToolgateOptions & Pick<GatewayOptions, "upstreamPort" | "change">;

export type Stack = AsyncDisposable & {
  readonly toolgate: Toolgate;
  readonly gateway: Gateway;
  /** A token for this role. */
  readonly token: (role: string) => Promise<string>;
  /** What another Envoy knows these tokens by. */
  readonly keySet: string;
};

export async function startStack({ upstreamPort, change, ...options }: StackOptions): Promise<Stack> {
  await using started = new AsyncDisposableStack();
  const { keySet, token } = await createIssuer();
  const toolgate = started.use(await Toolgate.start(options));
  const gateway = started.use(
    await Gateway.start({
      extProcPort: toolgate.port,
      upstreamPort,
      keySet,
      ...(change === undefined ? {} : { change }),
    }),
  );
  const running = started.move();
  return { toolgate, gateway, token, keySet, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
