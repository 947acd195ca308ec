/** Keeps every event of a fixture server, so that a client whose stream was closed can ask for the rest of it. */

type StoredEvent<Message> = { readonly streamId: string; readonly message: Message };
type Replay<Message> = { readonly send: (eventId: string, message: Message) => Promise<void> };

/** The `EventStore` of both TypeScript SDKs: an id is the place of the event in the order of all. */
export class EventStore<Message> {
  readonly #events: StoredEvent<Message>[] = [];

  async storeEvent(streamId: string, message: Message): Promise<string> {
    return String(this.#events.push({ streamId, message }) - 1);
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#events[Number(eventId)]?.streamId;
  }

  async replayEventsAfter(lastEventId: string, { send }: Replay<Message>): Promise<string> {
    const streamId = this.#events[Number(lastEventId)]?.streamId ?? "";
    for (const [id, event] of this.#events.entries()) {
      // A priming event is stored as an empty message: it is no news.
      const isNews =
        id > Number(lastEventId) && event.streamId === streamId && Object.keys(event.message ?? {}).length > 0;
      if (isNews) await send(String(id), event.message);
    }
    return streamId;
  }
}
