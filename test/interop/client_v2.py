"""The scenarios with the Python SDK v2. The first argument is the era: `legacy`, or `auto` for what the server can."""

import sys
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
from mcp import Client, types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from fixture import FIXTURE, WATCHED
from run_scenarios import Unsupported, protocol_error, run_scenarios, until_heard

warnings.simplefilter("ignore", MCPDeprecationWarning)  # what 2026-07-28 no longer has is still asked for


def plain(model: Any) -> Any:
    """Without the tag that is there whether the server has sent it or not."""
    data = model.model_dump(by_alias=True, mode="json", exclude_none=True)
    return {name: value for name, value in data.items() if name != "resultType"}


class SessionV2:
    tells_of_time_out = True

    def __init__(self, client: Client, heard: list[Any], ids: list[str]):
        self._client, self.heard, self._ids = client, heard, ids
        self.era = "modern" if client.protocol_version in MODERN_PROTOCOL_VERSIONS else "legacy"
        self._lists = {
            "tools": client.list_tools,
            "prompts": client.list_prompts,
            "resources": client.list_resources,
            "resourceTemplates": client.list_resource_templates,
        }

    def describe(self) -> Any:
        client = self._client
        return {
            "protocolVersion": client.protocol_version,
            "serverInfo": plain(client.server_info) if client.server_info else None,
            "capabilities": plain(client.server_capabilities),
            "instructions": client.instructions,
        }

    async def list(self, kind: str) -> Any:
        entries: list[Any] = []
        cursor = None
        while True:
            page = plain(await self._lists[kind](cursor=cursor))
            entries += page[kind]
            cursor = page.get("nextCursor")
            if cursor is None:
                return entries

    async def call_tool(self, name: str, args: dict[str, Any], on_progress: Any = None, timeout: float | None = None) -> Any:
        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            params = {"progress": progress, "total": total, "message": message}
            self.heard.append({"kind": "progress", "params": params})
            if on_progress is not None:
                on_progress()

        return plain(await self._client.call_tool(name, args, timeout, progressed))

    async def cancel(self, args: dict[str, Any]) -> Any:
        """Whoever cancels the call has cancelled the request: the SDK tells the server."""
        with anyio.CancelScope() as scope:
            return {"unexpected": await self.call_tool("wait", args, scope.cancel)}
        return "cancelled"

    async def get_prompt(self, name: str, args: dict[str, str]) -> Any:
        return plain(await self._client.get_prompt(name, args))

    async def read_resource(self, uri: str) -> Any:
        return plain(await self._client.read_resource(uri))

    async def complete(self, ref: dict[str, Any], argument: dict[str, str]) -> Any:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return plain(await self._client.complete(kind.model_validate(ref), argument))

    async def set_level(self) -> Any:
        return plain(await self._client.set_logging_level("debug"))

    async def ping(self) -> Any:
        return plain(await self._client.send_ping())

    async def watch(self, kind: str, touch: Callable[[], Awaitable[Any]]) -> Any:
        if self.era == "modern":
            wanted = {"tools_list_changed": True} if kind == "changed" else {"resource_subscriptions": [WATCHED]}
            async with self._client.listen(**wanted) as subscription:
                await touch()
                news = await anext(subscription)
                return {"granted": plain(subscription.honored), "news": vars(news)}
        if kind == "changed":
            return {"granted": "by the GET stream", "news": await until_heard(self.heard, kind, touch)}
        await self._client.subscribe_resource(WATCHED)
        news = await until_heard(self.heard, kind, touch)
        stopped = plain(await self._client.unsubscribe_resource(WATCHED))
        return {"granted": "by subscription", "news": news, "stopped": stopped}

    async def run_task(self, name: str) -> Any:
        raise Unsupported("SDK v2 has no tasks")

    def session_id(self) -> str:
        return self._ids[-1]


@asynccontextmanager
async def connect(url: str) -> AsyncGenerator[SessionV2]:
    heard: list[Any] = []
    ids: list[str] = []

    async def elicit(*_: Any) -> types.ElicitResult:
        return types.ElicitResult.model_validate(FIXTURE["client"]["elicited"])

    async def sample(*_: Any) -> types.CreateMessageResult:
        return types.CreateMessageResult.model_validate(FIXTURE["client"]["sampled"])

    async def log(params: types.LoggingMessageNotificationParams) -> None:
        heard.append({"kind": "log", "params": plain(params)})

    async def take(message: Any) -> None:
        match message:
            case types.ResourceUpdatedNotification(params=params):
                heard.append({"kind": "updated", "params": plain(params)})
            case types.ToolListChangedNotification(params=params):
                heard.append({"kind": "changed", "params": plain(params) if params else {}})

    async def note_session(response: httpx2.Response) -> None:
        """The SDK does not say which session it is in."""
        if "mcp-session-id" in response.headers:
            ids.append(response.headers["mcp-session-id"])

    async with (
        httpx2.AsyncClient(timeout=60, event_hooks={"response": [note_session]}) as http,
        Client(
            streamable_http_client(url, http_client=http),
            mode=era,
            log_level="debug",
            sampling_callback=sample,
            elicitation_callback=elicit,
            logging_callback=log,
            message_handler=take,
        ) as client,
    ):
        yield SessionV2(client, heard, ids)


def normal_error(error: BaseException) -> Any:
    if isinstance(error, MCPError):
        return protocol_error(plain(error.error))
    return {"name": type(error).__name__, "message": str(error)}


era = "legacy" if sys.argv[1] == "legacy" else "auto"
run_scenarios(connect, normal_error, sys.argv[2:])
