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
