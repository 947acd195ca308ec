/**
 * Where a JSON document ends, found while its chunks arrive: held bytes must be released when the document is complete,
 * not at the end of the stream, which may never be told (trailers). Only brackets and strings count here; whether it is
 * JSON at all is the scanner's to say.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class ValueEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Index after the byte that closes the first object or array, or -1 while it is open. Not for use after that. */
  feed(chunk: Uint8Array): number {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.#escaped) this.#escaped = false;
      else if (byte === QUOTE) this.#inString = !this.#inString;
      else if (this.#inString) this.#escaped = byte === BACKSLASH;
      else if (byte === 0x5b || byte === 0x7b) this.#depth++;
      else if ((byte === 0x5d || byte === 0x7d) && --this.#depth <= 0) return i + 1;
    }
    return -1;
  }
}
