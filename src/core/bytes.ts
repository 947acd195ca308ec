/** Small things one does with bytes. Nothing here copies more than it must. */

const encoder = new TextEncoder();
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** The length of `text` in UTF-8, in bytes. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) length += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return length;
}

/** One alone is the answer itself, and no copy of it. */
export function concat(slices: readonly Uint8Array[]): Uint8Array {
  if (slices.length === 1 && slices[0] !== undefined) return slices[0];
  let length = 0;
  for (const slice of slices) length += slice.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const slice of slices) {
    whole.set(slice, at);
    at += slice.length;
  }
  return whole;
}

export const EMPTY = new Uint8Array(0);

/** Bytes that wait for more, in one buffer: a slice for each piece would cost hundreds of bytes, also for pieces of one. */
export class Held {
  #buffer: Uint8Array = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): number | undefined {
    return this.#length === 0 ? undefined : this.#buffer[0];
  }

  get last(): number | undefined {
    return this.#length === 0 ? undefined : this.#buffer[this.#length - 1];
  }

  push(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  dropLast(): void {
    if (this.#length > 0) this.#length--;
  }

  /** All of it with `tail` behind it, and holds nothing any more. */
  take(tail: Uint8Array): Uint8Array {
    if (this.#length === 0) return tail;
    this.push(tail);
    const whole = this.#buffer.subarray(0, this.#length);
    this.#buffer = EMPTY;
    this.#length = 0;
    return whole;
  }
}
