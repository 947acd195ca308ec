"""The fixture on the Python SDK v1, on the loopback interface."""

import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp import types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.shared.exceptions import McpError

import fixture
from event_store import ResumableSessions
from serve import serve

NOT_FOUND = -32002

warnings.simplefilter("ignore", DeprecationWarning)  # tasks of 2025-11-25 are gone in v2


info = fixture.FIXTURE["serverInfo"]


class FixtureServer(Server):
    """Says what it can do: this SDK has no other way to say that resources can be subscribed to."""

    def get_capabilities(self, *args: Any) -> types.ServerCapabilities:
        capabilities = super().get_capabilities(*args)
        capabilities.resources = types.ResourcesCapability(subscribe=True)
        capabilities.prompts = types.PromptsCapability()
        return capabilities

    def create_initialization_options(self, *_: Any) -> Any:
        return super().create_initialization_options(NotificationOptions(tools_changed=True))

    async def run(self, *args: Any, **kwargs: Any) -> None:
        """A server for each session: the tasks of one session are gone for all as soon as another session ends."""
        await Server.run(create_fixture(), *args, **kwargs)


def create_fixture() -> FixtureServer:
    server = FixtureServer(info["name"], version=info["version"], instructions=fixture.FIXTURE["instructions"])
    server.experimental.enable_tasks()

    def on(request: type, result: type, handler: Callable[[Any], Any]) -> None:
        """Registers a handler that answers with plain data, past the decorators: they turn errors into results."""

        async def answer(message: Any) -> types.ServerResult:
            try:
                data = handler(message.params)
                data = await data if isinstance(data, Awaitable) else data
            except fixture.Refused as refused:
                error = types.ErrorData(code=refused.code, message=refused.message, data=refused.data)
                raise McpError(error) from None
            return types.ServerResult(data if isinstance(data, types.Result) else result.model_validate(data))

        server.request_handlers[request] = answer

    def listing(kind: str) -> Callable[[Any], Any]:
        return lambda params: fixture.listing(kind, params.cursor if params else None)

    async def call(params: types.CallToolRequestParams) -> Any:
        return await call_tool(server.request_context, params)

    on(types.ListToolsRequest, types.ListToolsResult, listing("tools"))
    on(types.ListPromptsRequest, types.ListPromptsResult, listing("prompts"))
    on(types.ListResourcesRequest, types.ListResourcesResult, listing("resources"))
    on(types.ListResourceTemplatesRequest, types.ListResourceTemplatesResult, listing("resourceTemplates"))
    on(types.CallToolRequest, types.CallToolResult, call)
    on(types.GetPromptRequest, types.GetPromptResult, lambda it: fixture.get_prompt(it.name, it.arguments or {}))
    on(types.ReadResourceRequest, types.ReadResourceResult, lambda it: fixture.read_resource(str(it.uri), NOT_FOUND))
    on(types.CompleteRequest, types.CompleteResult, lambda it: fixture.complete(it.argument.name, it.argument.value))
    on(types.SubscribeRequest, types.EmptyResult, lambda _: {})
    on(types.UnsubscribeRequest, types.EmptyResult, lambda _: {})
    on(types.SetLevelRequest, types.EmptyResult, lambda _: {})
    return server


def caller(context: Any) -> fixture.Caller:
    session, request_id = context.session, context.request_id
    token = context.meta.progressToken if context.meta else None

    async def report(progress: float) -> None:
        if token is not None:
            await session.send_progress_notification(token, progress, 3, f"step {progress}", str(request_id))

    async def log(level: str, data: str) -> None:
        await session.send_log_message(level, data, "fixture", request_id)

    async def announce(what: str) -> None:
        if what == "tools":
            await session.send_tool_list_changed()
        else:
            await session.send_resource_updated(fixture.WATCHED)

    return fixture.Caller(report, log, announce, context.close_sse_stream)


async def call_tool(context: Any, params: types.CallToolRequestParams) -> Any:
    if context.experimental.is_task:
        return await context.experimental.run_task(lambda _: finish(params.name))
    match params.name:
        case "elicit":
            asked = fixture.FIXTURE["elicitation"]
            answer = await context.session.elicit_form(asked["message"], asked["requestedSchema"], context.request_id)
            return fixture.elicited(answer.action, answer.content)
        case "sample":
            asked = types.CreateMessageRequestParams.model_validate(fixture.FIXTURE["sampling"])
            answer = await context.session.create_message(
                asked.messages, max_tokens=asked.maxTokens, related_request_id=context.request_id
            )
            content = answer.content.model_dump(by_alias=True, exclude_none=True)
            return fixture.sampled(answer.role, answer.model, content)
    return await fixture.call_tool(params.name, params.arguments or {}, caller(context))


async def finish(name: str) -> types.CallToolResult:
    return types.CallToolResult.model_validate(fixture.FIXTURE["answers"][name])


async def main() -> None:
    manager = ResumableSessions(create_fixture(), retry_interval=20)
    async with manager.run():
        await serve(manager.handle_request)


anyio.run(main)
