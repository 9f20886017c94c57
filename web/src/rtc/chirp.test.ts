import { describe, expect, it } from "vitest";

import { chirp, find, transform } from "./chirp";

const RATE = 16_000;

/** Seeded, Gaussian enough. */
function noise(count: number, level: number, seed: number): Float32Array {
  let state = seed;
  const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  return Float32Array.from({ length: count }, () => level * (next() + next() + next() + next() - 2));
}

/** Two seconds with a chirp at `at_s`, each of `echoes` [delay, gain], over noise. */
function room(at_s: number, level: number, hiss: number, echoes: [number, number][] = [], seed = 7): Float32Array {
  const heard = noise(2 * RATE, hiss, seed);
  for (const [delay_s, gain] of [[0, 1] as [number, number], ...echoes]) {
    const from = Math.round((at_s + delay_s) * RATE);
    chirp(RATE, level * gain).forEach((sample, k) => {
      if (from + k < heard.length) heard[from + k] = (heard[from + k] ?? 0) + sample;
    });
  }
  return heard;
}

describe("a room that listens to itself", () => {
  it("finds its chirp where it began", () => {
    const found = find(room(0.7, 0.3, 0.001), RATE);
    expect(found.heard).toBe(true);
    expect(found.at_s).toBeCloseTo(0.7, 2);
  });

  it("finds it in a noisy classroom, softer than the noise", () => {
    expect(find(room(0.9, 0.05, 0.05), RATE)).toMatchObject({ heard: true });
  });

  it("finds it with the echoes of bare walls", () => {
    const found = find(room(0.5, 0.1, 0.01, [[0.013, 0.7], [0.041, 0.6], [0.09, 0.5], [0.2, 0.3]]), RATE);
    expect(found.heard).toBe(true);
    expect(Math.abs(found.at_s - 0.5)).toBeLessThan(0.06);
  });

  it("hears nothing in silence, in noise, or in a steady tone", () => {
    expect(find(new Float32Array(2 * RATE), RATE).heard).toBe(false);
    for (let seed = 1; seed <= 6; seed++) expect(find(noise(2 * RATE, 0.2, seed * 977), RATE).heard).toBe(false);
    const tone = Float32Array.from({ length: 2 * RATE }, (_, k) => 0.3 * Math.sin((2 * Math.PI * 2000 * k) / RATE));
    expect(find(tone, RATE).heard).toBe(false);
  });

  it("is not taken in by a bang", () => {
    const bang = noise(2 * RATE, 0.002, 3);
    for (let k = 0; k < 40; k++) bang[9000 + k] = k % 2 ? 0.9 : -0.9;
    expect(find(bang, RATE).heard).toBe(false);
  });

  it("has a transform that turns back", () => {
    const re = Float64Array.from(noise(64, 1, 5));
    const was = Float64Array.from(re);
    const im = new Float64Array(64);
    transform(re, im, 1);
    transform(re, im, -1);
    re.forEach((value, k) => expect(value / 64).toBeCloseTo(was[k] ?? 0, 9));
  });
});
