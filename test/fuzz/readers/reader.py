"""What readers of MCP that are written in Python make of some bytes.

A line on stdin is a JSON array of [question, base64], a line on stdout the array of the answers. The first line on stdout
says which libraries are there beside the standard library's json: jiter (pydantic_core, which the MCP SDK uses) and
httpx-sse (its reader of event streams). The forms of the answers are in reading.ts and answer-reading.ts.
"""

import base64
import json
import sys

try:
    from pydantic_core import from_json
except ImportError:
    from_json = None
try:
    import httpx
    import httpx_sse
except ImportError:
    httpx = httpx_sse = None


def text_in(value, key):
    """A member that is text; anything else a program would refuse."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def object_in(value, key):
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def list_in(value, key):
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def texts_in(value, key):
    return [one for one in list_in(value, key) if isinstance(one, str)]


# What a server finds in a request.


def reading(message):
    if not isinstance(message, dict):
        return {"error": "not an object"}
    params = object_in(message, "params")
    ref = params.get("ref")
    filter = object_in(params, "notifications")
    result = message.get("result")
    return {
        "method": text_in(message, "method"),
        "id": identifier(message),
        "name": text_in(params, "name"),
        "uri": text_in(params, "uri"),
        "taskId": text_in(params, "taskId"),
        "ref": [text_in(ref, key) for key in ("type", "name", "uri")] if isinstance(ref, dict) else None,
        "listens": texts_in(filter, "resourceSubscriptions"),
        "followsTasks": len(list_in(filter, "taskIds")) > 0,
        "asksTask": "task" in params,
        "answers": "inputResponses" in params or "requestState" in params,
        "isAnswer": "result" in message or "error" in message,
        "isEmpty": isinstance(result, dict) and len(result) == 0,
    }


def identifier(message):
    """With its type: 1 and 1.0 and "1" are three ids."""
    if "id" not in message:
        return None
    value = message["id"]
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ["other", ""]
    return ["text" if isinstance(value, str) else "integer", str(value)]


def read_call(parse, body):
    try:
        message = parse(body)
    except (ValueError, RecursionError) as error:
        return {"error": str(error)[:120]}
    return [reading(one) for one in message] if isinstance(message, list) else reading(message)


def call(body):
    readings = {"json": read_call(json.loads, body)}
    if from_json is not None:
        readings["jiter"] = read_call(from_json, body)
    return readings


def tree(body):
    """The document with its numbers as they are written and its keys in their order, as one text."""
    lexeme = lambda text: {"number": text}
    pairs = lambda members: {"members": members}
    parsed = json.loads(body, object_pairs_hook=pairs, parse_int=lexeme, parse_float=lexeme, parse_constant=lexeme)
    return [json.dumps(one) for one in parsed] if isinstance(parsed, list) else json.dumps(parsed)


# What a client finds in a message of a server.

LISTS = {"tools": "name", "prompts": "name", "resources": "uri", "resourceTemplates": "uriTemplate"}


def first_wins(members):
    """As simdjson reads a key that stands twice."""
    found = {}
    for key, value in members:
        found.setdefault(key, value)
    return found


def answer(body):
    try:
        message = json.loads(body, object_pairs_hook=first_wins)
    except (ValueError, RecursionError) as error:
        return {"error": str(error)[:120]}
    result = object_in(message, "result")
    requests = result.get("inputRequests")
    method = text_in(message, "method")
    isRequest = isinstance(message, dict) and "id" in message
    blocks = list_in(result, "content") + [
        block for one in list_in(result, "messages") for block in blocks_of(one.get("content") if isinstance(one, dict) else None)
    ]
    links = [text_in(one, "uri") for one in blocks if text_in(one, "type") == "resource_link"]
    held = [text_in(one.get("resource"), "uri") for one in blocks if isinstance(one, dict)]
    contents = [text_in(one, "uri") for one in list_in(result, "contents")]
    updated = text_in(object_in(message, "params"), "uri") if method == "notifications/resources/updated" else None
    return {
        "asks": method if isRequest else None,
        "tells": None if isRequest else method,
        "type": text_in(result, "resultType"),
        "task": text_in(result.get("task"), "taskId"),
        "inputs": [text_in(one, "method") for one in requests.values()] if isinstance(requests, dict) else [],
        "lists": {key: names(result.get(key), LISTS[key]) for key in LISTS},
        "uris": [uri for uri in [*links, *held, *contents, updated] if uri is not None],
    }


def blocks_of(content):
    return content if isinstance(content, list) else [content]


def names(entries, key):
    found = [text_in(entry, key) for entry in entries] if isinstance(entries, list) else []
    return [name for name in found if name is not None]


def events(body):
    """The data of a stream for the MCP client; and for a reader that breaks lines where str.splitlines does."""
    lax = [line.partition(":")[2] for line in body.decode(errors="replace").splitlines() if line.strip().startswith("data")]
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    seen = [one.data for one in httpx_sse.EventSource(response).iter_sse()]
    return {"lax": lax, "httpx": seen}


QUESTIONS = {"call": call, "tree": tree, "answer": answer, "events": events}
print(json.dumps({"jiter": from_json is not None, "httpx-sse": httpx_sse is not None}), flush=True)
for line in sys.stdin:
    answers = [QUESTIONS[question](base64.b64decode(body)) for question, body in json.loads(line)]
    print(json.dumps(answers), flush=True)
