/** What a server answers to each method, all of it within what the reader of the corpus may see. */
type Request = { readonly method?: string; readonly params?: Readonly<Record<string, unknown>> };

const SERVER = { name: "recorder", version: "1" };
const STATIC = "demo://resource/static/";

/** `text` is in the results that are text. */
export function resultOf({ method, params }: Request, text: string): object {
  switch (method) {
    case "initialize":
      return { protocolVersion: params?.["protocolVersion"], capabilities: { tools: {} }, serverInfo: SERVER };
    case "server/discover":
      return complete({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, serverInfo: SERVER });
    case "tools/list":
      return complete({ tools: [{ name: "echo", inputSchema: { type: "object" } }] });
    case "resources/list":
      return complete({ resources: [{ name: "a", uri: `${STATIC}a` }] });
    case "resources/templates/list":
      return complete({ resourceTemplates: [{ name: "a", uriTemplate: `${STATIC}{+path}` }] });
    case "prompts/list":
      return complete({ prompts: [] });
    case "resources/read":
      return complete({ contents: [{ uri: params?.["uri"], text }] });
    case "tools/call":
      return complete({ content: [{ type: "text", text }] });
    default:
      return {};
  }
}

const complete = (result: object): object => ({ resultType: "complete", ...result });
