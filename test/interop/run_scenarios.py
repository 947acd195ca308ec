"""The scenario program of both Python SDKs; the twin of run-scenarios.ts, with the same scenarios.json."""

import hashlib
import json
import logging
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread

SCENARIOS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("scenarios.json").read_text("utf8"))

#: Only turns what would hang into an outcome: far beyond what anything takes on a busy machine.
PATIENCE_SECONDS = 30
#: Of a call that is never answered.
TIME_OUT_SECONDS = 0.25
POLL_SECONDS = 0.025
LONG = 10_000
AT_A_TIME = 3


class Unsupported(Exception):
    """A thing that the SDK or the era of the connection does not have."""


class Session(Protocol):
    """What differs between the SDKs. `heard` is what a server has told beside its answers, in its order."""

    heard: list[dict[str, Any]]
    era: str
    #: Whether the server is told of a call that has timed out.
    tells_of_time_out: bool

    def describe(self) -> Any: ...
    async def list(self, kind: str) -> Any: ...
    async def call_tool(
        self, name: str, args: dict[str, Any], on_progress: Callable[[], None] | None = None, timeout: float | None = None
    ) -> Any: ...
    async def cancel(self, args: dict[str, Any]) -> Any: ...
    async def get_prompt(self, name: str, args: dict[str, str]) -> Any: ...
    async def read_resource(self, uri: str) -> Any: ...
    async def complete(self, ref: dict[str, Any], argument: dict[str, str]) -> Any: ...
    async def set_level(self) -> Any: ...
    async def ping(self) -> Any: ...
    async def watch(self, kind: str, touch: Callable[[], Awaitable[Any]]) -> Any: ...
    async def run_task(self, name: str) -> Any: ...
    def session_id(self) -> str: ...


Connect = Callable[[str], AbstractAsyncContextManager[Session]]
NormalError = Callable[[BaseException], Any]


def run_scenarios(connect: Connect, normal_error: NormalError, urls: list[str]) -> None:
    """Carries out the table against each of the URLs."""
    logging.disable(logging.CRITICAL)

    async def main() -> None:
        limit = anyio.CapacityLimiter(AT_A_TIME)
        async with anyio.create_task_group() as group:
            for target, url in enumerate(urls):
                group.start_soon(Run(connect, normal_error, target, url).carry_out_all, limit)

    anyio.run(main)


class Run:
    """The table against one URL."""

    def __init__(self, connect: Connect, normal_error: NormalError, target: int, url: str):
        self._connect, self._normal_error, self._target, self._url = connect, normal_error, target, url

    async def carry_out_all(self, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            together = [scenario for scenario in SCENARIOS if not scenario.get("alone")]
            while together:
                await self._in_one_session(together)
            for scenario in SCENARIOS:
                if scenario.get("alone"):
                    await self._in_one_session([scenario])

    async def _in_one_session(self, left: list[dict[str, Any]]) -> None:
        """Takes away what it has carried out: until the end, or until the session is of no more use."""
        end = None
        try:
            async with self._connect(self._url) as session:
                while left:
                    outcome = await self._settle(left[0], session)
                    if left[0]["does"] == "end" and "error" not in outcome and "unsupported" not in outcome:
                        end, session_id = left.pop(0), session.session_id()
                        break
                    self._report(left.pop(0), outcome)
                    if outcome.get("error") == NO_ANSWER:
                        break
        except Exception as error:  # What comes out of a session has ended it, whatever it was.
            if left:
                self._report(left.pop(0), {"error": self._normal_error(leaf(error))})
        if end is not None:
            self._report(end, {"ok": {"statusOfLaterRequest": await status_of_later_request(self._url, session_id)}})

    async def _settle(self, scenario: dict[str, Any], session: Session) -> dict[str, Any]:
        try:
            if scenario.get("era", session.era) != session.era:
                return {"unsupported": f"only in the {scenario['era']} era"}
            with anyio.fail_after(PATIENCE_SECONDS):
                return {"ok": await self._carry_out(scenario, session)}
        except TimeoutError:
            return {"error": NO_ANSWER}
        except Unsupported as missing:
            return {"unsupported": str(missing)}
        except Exception as error:
            return {"error": self._normal_error(leaf(error))}

    async def _carry_out(self, scenario: dict[str, Any], session: Session) -> Any:
        session.heard.clear()
        match scenario["does"]:
            case "describe":
                return session.describe()
            case "list":
                return await session.list(scenario["of"])
            case "call":
                result = await session.call_tool(scenario["tool"], expand(scenario.get("arguments", {})))
                return {"result": result, "heard": list(session.heard)}
            case "prompt":
                return await session.get_prompt(scenario["prompt"], scenario.get("arguments", {}))
            case "read":
                return await session.read_resource(scenario["uri"])
            case "complete":
                return await session.complete(scenario["ref"], scenario["argument"])
            case "setLevel":
                return await session.set_level()
            case "ping":
                return await session.ping()
            case "watchResource":
                return await session.watch("updated", lambda: session.call_tool("touch", {"what": "resource"}))
            case "watchTools":
                return await session.watch("changed", lambda: session.call_tool("touch", {"what": "tools"}))
            case "cancel":
                key = str(uuid.uuid4())
                error = await session.cancel({"key": key})
                await until_noticed(session, key)
                return {"error": error, "noticed": True}
            case "timeOut":
                return await self._time_out(session)
            case "task":
                return await session.run_task("task")
            case "end":
                return None
        raise AssertionError(scenario["does"])

    async def _time_out(self, session: Session) -> Any:
        """One that was over before the server had begun is tried again with a longer one."""
        timeout = TIME_OUT_SECONDS
        while True:
            key = str(uuid.uuid4())
            try:
                return {"unexpected": await session.call_tool("wait", {"key": key}, timeout=timeout)}
            except Exception as error:
                failure = self._normal_error(leaf(error))
            failure["message"] = re.sub(r"Waited [\d.]+ seconds", "Waited", failure["message"])
            if not session.tells_of_time_out:
                return {"error": failure}
            if await until_noticed(session, key):
                return {"error": failure, "noticed": True}
            timeout *= 2

    def _report(self, scenario: dict[str, Any], outcome: dict[str, Any]) -> None:
        line = {"target": self._target, "scenario": scenario["name"], "outcome": digest(outcome)}
        print(json.dumps(line, ensure_ascii=False), flush=True)


NO_ANSWER = "no answer"


async def until_noticed(session: Session, key: str) -> bool:
    """Waits until the server has noticed that nobody waits any more; false when it knows of no such call."""
    while True:
        fate = json.dumps(await session.call_tool("fate", {"key": key}))
        if "given up" in fate:
            return True
        if "running" not in fate:
            return False
        await anyio.sleep(POLL_SECONDS)


async def until_heard(heard: list[dict[str, Any]], kind: str, touch: Callable[[], Awaitable[Any]]) -> Any:
    """Touches until the news arrive: nothing says when a stream for them is open on the server."""
    while True:
        await touch()
        for it in heard:
            if it["kind"] == kind:
                return it["params"]
        await anyio.sleep(POLL_SECONDS)


async def status_of_later_request(url: str, session_id: str) -> int:
    """What becomes of a request in a session that has ended."""
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-session-id": session_id,
        "mcp-protocol-version": "2025-11-25",
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
    request = urllib.request.Request(url, body, headers)

    def ask() -> int:
        try:
            with urllib.request.urlopen(request) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    return await anyio.to_thread.run_sync(ask)


def leaf(error: BaseException) -> BaseException:
    """Sessions are task groups: what went wrong in one comes out wrapped."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def protocol_error(error: dict[str, Any]) -> dict[str, Any]:
    """A server on the TypeScript SDK v1 writes the code into the message, too."""
    return error | {"message": re.sub(r"^(MCP error -?\d+: )+", "", error["message"])}


def expand(args: dict[str, Any]) -> dict[str, Any]:
    """`{ repeat, times }` stands for a text that would be too long for the table."""
    return {
        name: value["repeat"] * value["times"] if isinstance(value, dict) and "repeat" in value else value
        for name, value in args.items()
    }


def digest(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "<task>" if name == "taskId" else digest(member) for name, member in value.items()}
    if isinstance(value, list):
        return [digest(member) for member in value]
    if isinstance(value, str) and len(value) >= LONG:
        return {"characters": len(value), "sha256": hashlib.sha256(value.encode()).hexdigest()}
    return value

