"""Keeps every event of a fixture server, so that a client whose stream was closed can ask for the rest of it."""

from typing import Any

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class MemoryEventStore(EventStore):
    """An id is the place of the event in the order of all."""

    def __init__(self) -> None:
        self._events: list[tuple[str, Any]] = []

    async def store_event(self, stream_id: str, message: Any) -> str:
        self._events.append((stream_id, message))
        return str(len(self._events) - 1)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        if not last_event_id.isdigit() or int(last_event_id) >= len(self._events):
            return None
        wanted, _ = self._events[int(last_event_id)]
        for event_id in range(int(last_event_id) + 1, len(self._events)):
            stream_id, message = self._events[event_id]
            # A priming event has no message: it is no news.
            if stream_id == wanted and message is not None:
                await send_callback(EventMessage(message, str(event_id)))
        return wanted


class ResumableSessions(StreamableHTTPSessionManager):
    """
    A store for each session. Both SDKs take one for all, and name a stream by the id of its request: a client that resumes
    would get what another session had under the same id.
    """

    @property
    def event_store(self) -> EventStore | None:
        return MemoryEventStore()

    @event_store.setter
    def event_store(self, _: EventStore | None) -> None:
        """The constructor's is not used."""
