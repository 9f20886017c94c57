import { describe, expect, it } from "vitest";

import { BITS, ageMs, blocksOf, edges, readRow, stampAt } from "./stamp";

function row(blocks: boolean[], width: number): number[] {
  const at = edges(width);
  const pixels: number[] = new Array<number>(width * 4).fill(0);
  blocks.forEach((white, k) => {
    for (let x = at[k] ?? 0; x < (at[k + 1] ?? 0); x++) pixels.fill(white ? 235 : 16, 4 * x, 4 * x + 4);
  });
  return pixels;
}

describe("the numbered strip", () => {
  it("is read as it was drawn, at any width", () => {
    for (const width of [160, 320, 333, 640, 1280]) {
      for (const number of [0, 1, 2 ** BITS - 1, 0b10101010101010101010, 123_456]) {
        for (const sync of [true, false]) {
          expect(readRow(row(blocksOf({ number, sync }), width), width)).toEqual({ number, sync });
        }
      }
    }
  });

  it("is not found in a grey picture", () => {
    expect(readRow(new Array<number>(640 * 4).fill(128), 640)).toBeNull();
  });

  it("tells a picture's age across the wrap of its number", () => {
    const time = 2 ** BITS * 40 * 5 + 10;
    const { number } = stampAt(time - 120);
    expect(ageMs(number, time)).toBeGreaterThanOrEqual(120);
    expect(ageMs(number, time)).toBeLessThan(160);
  });

  it("is white in its sync block for the first five frames of each five seconds", () => {
    const white = Array.from({ length: 125 }, (_, k) => stampAt(1_000_000_000_000 + k * 40).sync);
    expect(white.filter(Boolean)).toHaveLength(5);
    expect(white.slice(0, 5)).toEqual([true, true, true, true, true]);
  });
});
