"""The fixture on the Python SDK v2, in both eras, on the loopback interface."""

import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp import types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

import fixture
from event_store import ResumableSessions
from serve import serve

warnings.simplefilter("ignore", MCPDeprecationWarning)  # what 2026-07-28 no longer has is still asked for

bus = InMemorySubscriptionBus()


def is_modern(context: Any) -> bool:
    return context.protocol_version in MODERN_PROTOCOL_VERSIONS


class FixtureServer(Server[Any]):
    def create_initialization_options(self, *_: Any, **__: Any) -> Any:
        return super().create_initialization_options(NotificationOptions(tools_changed=True))


def on(result: type, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Awaitable[Any]]:
    """A handler that answers with plain data."""

    async def answer(context: Any, params: Any) -> Any:
        try:
            data = handler(context, params)
            data = await data if isinstance(data, Awaitable) else data
        except fixture.Refused as refused:
            raise MCPError(refused.code, refused.message, refused.data) from None
        return result.model_validate(data) if isinstance(data, dict) else data

    return answer


def listing(result: type, kind: str) -> Callable[[Any, Any], Awaitable[Any]]:
    return on(result, lambda _, params: fixture.listing(kind, params.cursor if params else None))


def caller(context: Any) -> fixture.Caller:
    session = context.session

    async def report(progress: float) -> None:
        await session.report_progress(progress, 3, f"step {progress}")

    async def log(level: str, data: str) -> None:
        await session.send_log_message(level, data, "fixture", context.request_id)

    async def announce(what: str) -> None:
        if is_modern(context):
            await bus.publish(ToolsListChanged() if what == "tools" else ResourceUpdated(fixture.WATCHED))
        elif what == "tools":
            await session.send_tool_list_changed()
        else:
            await session.send_resource_updated(fixture.WATCHED)

    return fixture.Caller(report, log, announce, context.close_sse_stream)


async def call_tool(context: Any, params: types.CallToolRequestParams) -> Any:
    if params.name in ("elicit", "sample"):
        ask = ask_by_result if is_modern(context) else ask_by_request
        answer = await ask(context, params)
        if isinstance(answer, types.InputRequiredResult):
            return answer
        if isinstance(answer, types.ElicitResult):
            return fixture.elicited(answer.action, answer.content)
        return fixture.sampled(answer.role, answer.model, answer.content.model_dump(by_alias=True, exclude_none=True))
    return await fixture.call_tool(params.name, params.arguments or {}, caller(context))


async def ask_by_request(context: Any, params: types.CallToolRequestParams) -> Any:
    """Until 2025-11-25 the server sends its client a request."""
    if params.name == "elicit":
        asked = fixture.FIXTURE["elicitation"]
        return await context.session.elicit_form(asked["message"], asked["requestedSchema"], context.request_id)
    sampling = types.CreateMessageRequestParams.model_validate(fixture.FIXTURE["sampling"])
    return await context.session.create_message(
        sampling.messages, max_tokens=sampling.max_tokens, related_request_id=context.request_id
    )


async def ask_by_result(_: Any, params: types.CallToolRequestParams) -> Any:
    """Since 2026-07-28 it answers that it needs more, and is called again."""
    if params.input_responses:
        return params.input_responses["answer"]
    if params.name == "elicit":
        request = types.ElicitRequest.model_validate({"params": fixture.FIXTURE["elicitation"] | {"mode": "form"}})
    else:
        request = types.CreateMessageRequest.model_validate({"params": fixture.FIXTURE["sampling"]})
    return types.InputRequiredResult(input_requests={"answer": request})


info = fixture.FIXTURE["serverInfo"]
server = FixtureServer(
    info["name"],
    version=info["version"],
    title=info["title"],
    instructions=fixture.FIXTURE["instructions"],
    on_list_tools=listing(types.ListToolsResult, "tools"),
    on_list_prompts=listing(types.ListPromptsResult, "prompts"),
    on_list_resources=listing(types.ListResourcesResult, "resources"),
    on_list_resource_templates=listing(types.ListResourceTemplatesResult, "resourceTemplates"),
    on_call_tool=on(types.CallToolResult, call_tool),
    on_get_prompt=on(types.GetPromptResult, lambda _, it: fixture.get_prompt(it.name, it.arguments or {})),
    on_read_resource=on(
        types.ReadResourceResult,
        lambda context, it: fixture.read_resource(it.uri, -32602 if is_modern(context) else -32002),
    ),
    on_completion=on(types.CompleteResult, lambda _, it: fixture.complete(it.argument.name, it.argument.value)),
    on_subscribe_resource=on(types.EmptyResult, lambda *_: {}),
    on_unsubscribe_resource=on(types.EmptyResult, lambda *_: {}),
    on_set_logging_level=on(types.EmptyResult, lambda *_: {}),
    on_subscriptions_listen=ListenHandler(bus),
)


async def main() -> None:
    manager = ResumableSessions(server, retry_interval=20)
    async with manager.run():
        await serve(manager.handle_request)


anyio.run(main)
