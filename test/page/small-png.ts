/** Makes a screenshot small: its 256 most frequent colours, each other one as the nearest of them, no filters. */
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Of a PNG as Chromium writes it: eight bits a channel, without alpha, not interlaced. */
export function smallPng(png: Buffer): Buffer {
  const { width, height, pixels } = readPixels(png);
  const counts = new Map<number, number>();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const palette = [...counts]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, 256)
    .map(([colour]) => colour);
  const places = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]));
  const lines = Buffer.alloc(height * (width + 1));
  for (const [i, pixel] of pixels.entries()) lines[i + Math.floor(i / width) + 1] = places.get(pixel) ?? 0;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap(channels));
  const chunks = [
    chunk("IHDR", header),
    chunk("PLTE", colours),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([SIGNATURE, ...chunks]);
}

const channels = (colour: number): readonly [number, number, number] => [
  colour >> 16,
  (colour >> 8) & 255,
  colour & 255,
];

function nearest(palette: readonly number[], colour: number): number {
  const [red, green, blue] = channels(colour);
  let best = 0;
  let least = Infinity;
  for (const [i, other] of palette.entries()) {
    const [r, g, b] = channels(other);
    const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

function readPixels(png: Buffer): {
  readonly width: number;
  readonly height: number;
  readonly pixels: readonly number[];
} {
  const data: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const [width, height, format] = [png.readUInt32BE(16), png.readUInt32BE(20), png.readUInt16BE(24)];
  if (format !== 0x0802) throw new Error("the screenshot is not a PNG of eight bits a channel without alpha");
  const stride = width * 3;
  const raw = inflateSync(Buffer.concat(data));
  const pixels: number[] = [];
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1);
    const line = Buffer.from(raw.subarray(start + 1, start + 1 + stride));
    unfilter(raw[start] ?? 0, line, above);
    for (let x = 0; x < stride; x += 3) pixels.push(line.readUIntBE(x, 3));
    above = line;
  }
  return { width, height, pixels };
}

/** PNG, section 9.2. */
function unfilter(filter: number, line: Buffer, above: Buffer): void {
  for (let x = 0; x < line.length; x++) {
    const a = line[x - 3] ?? 0;
    const b = above[x] ?? 0;
    const c = x < 3 ? 0 : (above[x - 3] ?? 0);
    const guesses = [0, a, b, (a + b) >> 1, paeth(a, b, c)];
    line[x] = ((line[x] ?? 0) + (guesses[filter] ?? 0)) & 255;
  }
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
