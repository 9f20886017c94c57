import { describe, expect, it } from "vitest";

import { stampAt } from "./stamp";
import { SAMPLE_RATE, wave, waveAt } from "./wave";

const KIND = { baseHz: 220, withTone: true };
const START = 1_800_000_000_000; // a whole number of 5 s

function loudness(fromMs: number, lengthMs: number, kind = KIND): number {
  const samples = wave(fromMs, (lengthMs * SAMPLE_RATE) / 1000, kind);
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}

describe("the sample's voice", () => {
  it("sounds its tone exactly while the sync block is white", () => {
    for (let ms = 0; ms < 5_000; ms += 40) {
      const tone = loudness(START + ms, 40) > 0.2;
      expect(tone, `${ms} ms`).toBe(stampAt(START + ms).sync);
    }
  });

  it("is never too loud and begins and ends each sound at nothing", () => {
    const second = wave(START, SAMPLE_RATE * 5, KIND);
    expect(Math.max(...second.subarray(0, SAMPLE_RATE))).toBeLessThanOrEqual(0.401);
    expect(Math.abs(waveAt(START, KIND))).toBeLessThan(1e-6);
    expect(Math.abs(waveAt(START + 199.99, KIND))).toBeLessThan(0.01);
  });

  it("rests for a room where the main room has its tone", () => {
    expect(loudness(START, 200, { baseHz: 330, withTone: false })).toBe(0);
    expect(loudness(START + 600, 300, { baseHz: 330, withTone: false })).toBeGreaterThan(0.03);
  });

  it("goes on without a seam from one piece to the next", () => {
    const whole = wave(START + 600, 960, KIND);
    const halves = [...wave(START + 600, 480, KIND), ...wave(START + 610, 480, KIND)];
    whole.forEach((value, k) => expect(halves[k]).toBeCloseTo(value, 5));
  });
});
