"""What the fixture does on a request, for both Python SDKs; the twin of fixture-server.ts, with the same fixture.json."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

FIXTURE: dict[str, Any] = json.loads(Path(__file__).with_name("fixture.json").read_text("utf8"))
WATCHED = "note:///watched"
INVALID_PARAMS = -32602

#: What has become of each call of `wait`, by the key that it was made with.
fates: dict[str, str] = {}


class Refused(Exception):
    """To be answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@dataclass
class Caller:
    """How a running call of a tool reaches the client that made it."""

    report: Callable[[float], Awaitable[None]]
    log: Callable[[str, str], Awaitable[None]]
    announce: Callable[[str], Awaitable[None]]
    #: Closes the stream of events that the answer would have come on, where it can be taken up again.
    hang_up: Callable[[], Awaitable[None]] | None


def listing(kind: str, cursor: str | None) -> dict[str, Any]:
    start = 0 if cursor is None else int(cursor.removeprefix("after:"))
    end = start + FIXTURE["pageSizes"][kind]
    page = {kind: FIXTURE[kind][start:end]}
    return page | {"nextCursor": f"after:{end}"} if end < len(FIXTURE[kind]) else page


async def call_tool(name: str, args: dict[str, Any], caller: Caller) -> dict[str, Any]:
    match name:
        case "refuses":
            raise Refused(**FIXTURE["refusal"])
        case "echo":
            return text(args["text"])
        case "progress":
            for progress in (1, 2, 3):
                await caller.report(progress)
        case "log":
            await caller.log("info", "The first line.")
            await caller.log("warning", "Die zweite Zeile — ünïcödé.")
        case "touch":
            await caller.announce(args["what"])
        case "interrupted":
            if caller.hang_up is None:
                return text("This stream cannot be resumed.")
            await caller.report(1)
            await caller.hang_up()
            await caller.report(2)
        case "wait":
            return await wait(args["key"], caller)
        case "fate":
            return text(fates.get(args["key"], "unknown"))
    if name not in FIXTURE["answers"]:
        raise Refused(INVALID_PARAMS, f"Unknown tool: {name}")
    return FIXTURE["answers"][name]


async def wait(key: str, caller: Caller) -> dict[str, Any]:
    """Says by its progress that it has begun, and ends when nobody wants its answer any more."""
    fates[key] = "running"
    try:
        await caller.report(1)
        await anyio.sleep_forever()
    finally:
        fates[key] = "given up"
    raise AssertionError("unreachable")


def text(content: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": content}]}


def elicited(action: str, content: Any) -> dict[str, Any]:
    return text(f"{action}: {compact(content)}")


def sampled(role: str, model: str, content: Any) -> dict[str, Any]:
    return text(f"{role} of {model}: {compact(content)}")


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def get_prompt(name: str, args: dict[str, str]) -> dict[str, Any]:
    match name:
        case "greeting":
            words = f"Greet {args.get('name')}, {args.get('style', 'plainly')}."
            message = {"role": "user", "content": {"type": "text", "text": words}}
            return {"description": "A greeting.", "messages": [message]}
        case "farewell":
            resource = {"type": "resource", "resource": contents("note:///text")}
            return {
                "messages": [
                    {"role": "user", "content": resource},
                    {"role": "assistant", "content": {"type": "text", "text": "Farewell."}},
                ]
            }
    raise Refused(INVALID_PARAMS, f"Unknown prompt: {name}")


def read_resource(uri: str, not_found: int) -> dict[str, Any]:
    """`not_found` is the code of the revision for a resource that there is not."""
    if uri not in FIXTURE["contents"]:
        raise Refused(not_found, "Resource not found", {"uri": uri})
    return {"contents": [contents(uri)]}


def contents(uri: str) -> dict[str, Any]:
    return {"uri": uri} | FIXTURE["contents"][uri]


def complete(argument: str, value: str) -> dict[str, Any]:
    values = [candidate for candidate in FIXTURE["completions"].get(argument, []) if candidate.startswith(value)]
    return {"completion": {"values": values, "total": len(values), "hasMore": False}}
