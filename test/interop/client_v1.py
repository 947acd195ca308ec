"""The scenarios with the Python SDK v1."""

import sys
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import anyio
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl

from fixture import FIXTURE, WATCHED
from run_scenarios import Unsupported, protocol_error, run_scenarios, until_heard

warnings.simplefilter("ignore", DeprecationWarning)  # tasks of 2025-11-25 are gone in v2


def plain(model: Any) -> Any:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


class SessionV1:
    era = "legacy"
    tells_of_time_out = False

    def __init__(self, session: ClientSession, told: types.InitializeResult, heard: list[Any], get_id: Callable[[], str | None]):
        self._session, self._told, self.heard, self._get_id = session, told, heard, get_id
        self._lists = {
            "tools": session.list_tools,
            "prompts": session.list_prompts,
            "resources": session.list_resources,
            "resourceTemplates": session.list_resource_templates,
        }

    def describe(self) -> Any:
        return plain(self._told)

    async def list(self, kind: str) -> Any:
        entries: list[Any] = []
        cursor = None
        while True:
            page = plain(await self._lists[kind](params=types.PaginatedRequestParams(cursor=cursor)))
            entries += page[kind]
            cursor = page.get("nextCursor")
            if cursor is None:
                return entries

    async def call_tool(self, name: str, args: dict[str, Any], on_progress: Any = None, timeout: float | None = None) -> Any:
        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            params = {"progress": progress, "total": total, "message": message}
            self.heard.append({"kind": "progress", "params": params})
            if on_progress is not None:
                await on_progress()

        patience = None if timeout is None else timedelta(seconds=timeout)
        return plain(await self._session.call_tool(name, args, patience, progressed))

    async def cancel(self, args: dict[str, Any]) -> Any:
        """This SDK leaves it to its user to tell the server; a request's progress token is its id."""
        request_id = self._session._request_id
        with anyio.CancelScope() as scope:

            async def give_up() -> None:
                params = types.CancelledNotificationParams(requestId=request_id)
                await self._session.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
                scope.cancel()

            return {"unexpected": await self.call_tool("wait", args, give_up)}
        return "cancelled"

    async def get_prompt(self, name: str, args: dict[str, str]) -> Any:
        return plain(await self._session.get_prompt(name, args))

    async def read_resource(self, uri: str) -> Any:
        return plain(await self._session.read_resource(AnyUrl(uri)))

    async def complete(self, ref: dict[str, Any], argument: dict[str, str]) -> Any:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return plain(await self._session.complete(kind.model_validate(ref), argument))

    async def set_level(self) -> Any:
        return plain(await self._session.set_logging_level("debug"))

    async def ping(self) -> Any:
        return plain(await self._session.send_ping())

    async def watch(self, kind: str, touch: Callable[[], Awaitable[Any]]) -> Any:
        if kind == "changed":
            return {"granted": "by the GET stream", "news": await until_heard(self.heard, kind, touch)}
        await self._session.subscribe_resource(AnyUrl(WATCHED))
        news = await until_heard(self.heard, kind, touch)
        stopped = plain(await self._session.unsubscribe_resource(AnyUrl(WATCHED)))
        return {"granted": "by subscription", "news": news, "stopped": stopped}

    async def run_task(self, name: str) -> Any:
        if self._told.capabilities.tasks is None:
            raise Unsupported("the server has no tasks")
        tasks = self._session.experimental
        task_id = (await tasks.call_tool_as_task(name)).task.taskId
        status = ""
        async for polled in tasks.poll_task(task_id):
            status = polled.status
        result = await tasks.get_task_result(task_id, types.CallToolResult)
        listed = await tasks.list_tasks()
        return {
            "status": status,
            "result": plain(result),
            "isListed": any(task.taskId == task_id for task in listed.tasks),
        }

    def session_id(self) -> str:
        return self._get_id() or ""


@asynccontextmanager
async def connect(url: str) -> AsyncGenerator[SessionV1]:
    heard: list[Any] = []

    async def elicit(*_: Any) -> types.ElicitResult:
        return types.ElicitResult.model_validate(FIXTURE["client"]["elicited"])

    async def sample(*_: Any) -> types.CreateMessageResult:
        return types.CreateMessageResult.model_validate(FIXTURE["client"]["sampled"])

    async def log(params: types.LoggingMessageNotificationParams) -> None:
        heard.append({"kind": "log", "params": plain(params)})

    async def take(message: Any) -> None:
        if isinstance(message, types.ServerNotification):
            match message.root:
                case types.ResourceUpdatedNotification(params=params):
                    heard.append({"kind": "updated", "params": plain(params)})
                case types.ToolListChangedNotification(params=params):
                    heard.append({"kind": "changed", "params": plain(params) if params else {}})

    async with streamable_http_client(url) as (read, write, get_id):
        callbacks = {"sampling_callback": sample, "elicitation_callback": elicit, "logging_callback": log}
        async with ClientSession(read, write, message_handler=take, **callbacks) as session:
            yield SessionV1(session, await session.initialize(), heard, get_id)


def normal_error(error: BaseException) -> Any:
    if isinstance(error, McpError):
        return protocol_error(plain(error.error))
    return {"name": type(error).__name__, "message": str(error)}


run_scenarios(connect, normal_error, sys.argv[1:])
