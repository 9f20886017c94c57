/**
 * The numbered strip in the sample pictures, written and read (pure but for the canvas given).
 *
 * Blocks from left to right over the whole width: white, black, 20 bits of the number with the most
 * significant first, and last the sync block, white for 0.2 s in each 5 s. The strip is 1/18 of the height.
 * The number counts 40 ms steps of the machine's clock, so any page of this machine can tell a picture's age.
 */

export const BITS = 20;
export const FRAME_MS = 40;
export const SYNC_EVERY_MS = 5_000;
export const SYNC_MS = 200;
const STRIP = 1 / 18;
const BLOCKS = BITS + 3;
const WRAP_MS = 2 ** BITS * FRAME_MS;

export interface Stamp {
  number: number;
  sync: boolean;
}

/** Milliseconds since 1970, finer than Date.now and never stepping back. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

export function stampAt(timeMs: number): Stamp {
  const frame = Math.floor(timeMs / FRAME_MS);
  return {
    number: frame % 2 ** BITS,
    sync: (frame * FRAME_MS) % SYNC_EVERY_MS < SYNC_MS,
  };
}

/** How old a picture with this number is at `timeMs`; only sensible below some hours. */
export function ageMs(number: number, timeMs: number): number {
  return (((timeMs - number * FRAME_MS) % WRAP_MS) + WRAP_MS) % WRAP_MS;
}

/** Where each block begins, and the right edge last. */
export function edges(width: number): number[] {
  return Array.from({ length: BLOCKS + 1 }, (_, k) => Math.floor((k * width) / BLOCKS));
}

export function stripHeight(height: number): number {
  return Math.max(1, Math.floor(height * STRIP));
}

export function blocksOf(stamp: Stamp): boolean[] {
  const bits = Array.from({ length: BITS }, (_, k) => ((stamp.number >> (BITS - 1 - k)) & 1) === 1);
  return [true, false, ...bits, stamp.sync];
}

export function drawStamp(canvas: CanvasRenderingContext2D, stamp: Stamp): void {
  const { width, height } = canvas.canvas;
  const at = edges(width);
  const high = stripHeight(height);
  blocksOf(stamp).forEach((white, k) => {
    canvas.fillStyle = white ? "#fff" : "#000";
    canvas.fillRect(at[k] ?? 0, 0, (at[k + 1] ?? 0) - (at[k] ?? 0), high);
  });
}

/** The stamp in RGBA pixels of one row through the strip's middle, or null where none is readable. */
export function readRow(pixels: ArrayLike<number>, width: number): Stamp | null {
  const levels = Array.from({ length: BLOCKS }, (_, k) => {
    const left = (k * width) / BLOCKS;
    const from = Math.floor(left + (width / BLOCKS) * 0.3);
    const to = Math.floor(left + (width / BLOCKS) * 0.7);
    let sum = 0;
    for (let x = from; x <= to; x++) {
      sum += (pixels[4 * x] ?? 0) + (pixels[4 * x + 1] ?? 0) + (pixels[4 * x + 2] ?? 0);
    }
    return sum / (3 * (to - from + 1));
  });
  if ((levels[0] ?? 0) < 140 || (levels[1] ?? 255) > 110) return null;
  const number = levels.slice(2, 2 + BITS).reduce((value, level) => value * 2 + (level > 127 ? 1 : 0), 0);
  return { number, sync: (levels[BLOCKS - 1] ?? 0) > 127 };
}
