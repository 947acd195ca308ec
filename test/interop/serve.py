"""Serves an ASGI application on a port that the system chooses, and prints it as the other fixture servers do."""

import logging
import socket
from typing import Any

import uvicorn

#: As in http-server.ts.
KEEP_ALIVE_SECONDS = 600


async def serve(app: Any) -> None:
    logging.disable(logging.WARNING)
    listening = socket.socket(socket.AF_INET)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(f"listening on {listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, interface="asgi3", lifespan="off", log_config=None, access_log=False, timeout_keep_alive=KEEP_ALIVE_SECONDS)
    await uvicorn.Server(config).serve(sockets=[listening])
