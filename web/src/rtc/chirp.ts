/**
 * A chirp and its finding in a recording: a matched filter by FFT. Pure; no audio, no DOM.
 *
 * The chirp sweeps 1 to 5 kHz: small loudspeakers play it, microphones hear it, and no voice has its shape.
 */
export const CHIRP_S = 0.4;
export const FROM_HZ = 1_000;
export const TO_HZ = 5_000;
/** So much of the sound in the chirp's time is the chirp, or it was something else: a bang, a door. */
const LEAST_SHARE = 0.03;
/** The peak stands so far above the rest of the filter's output, or nothing was heard. */
export const HEARD_DB = 14;

export interface Found {
  heard: boolean;
  /** Where the chirp begins in the recording, seconds. */
  at_s: number;
  /** The peak over what the filter answers elsewhere. */
  above_db: number;
}

/** A linear sweep with soft ends, at most `level`. */
export function chirp(rate: number, level = 0.5): Float32Array<ArrayBuffer> {
  const count = Math.round(CHIRP_S * rate);
  const fade = Math.round(0.02 * rate);
  const samples = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const t = k / rate;
    const phase = 2 * Math.PI * (FROM_HZ * t + ((TO_HZ - FROM_HZ) * t * t) / (2 * CHIRP_S));
    const edge = Math.min(1, k / fade, (count - 1 - k) / fade);
    samples[k] = level * edge * Math.sin(phase);
  }
  return samples;
}

/** Looks for a chirp in what was recorded at the same rate. */
export function find(recorded: Float32Array, rate: number): Found {
  const shape = chirp(rate, 1);
  const size = powerOfTwo(recorded.length + shape.length);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  re.set(recorded);
  const [shapeRe, shapeIm] = [new Float64Array(size), new Float64Array(size)];
  shapeRe.set(shape);
  transform(re, im, 1);
  transform(shapeRe, shapeIm, 1);
  for (let k = 0; k < size; k++) {
    const [a, b, c, d] = [re[k] ?? 0, im[k] ?? 0, shapeRe[k] ?? 0, shapeIm[k] ?? 0];
    // Times the shape's conjugate, as an analytic signal (half the spectrum): its size is the envelope.
    const keep = k > 0 && k < size / 2 ? 1 : 0;
    re[k] = keep * (a * c + b * d);
    im[k] = keep * (b * c - a * d);
  }
  transform(re, im, -1);
  const last = Math.max(1, recorded.length - shape.length);
  let peak = 0;
  let at = 0;
  for (let k = 0; k < last; k++) {
    const size_ = Math.hypot(re[k] ?? 0, im[k] ?? 0);
    if (size_ > peak) [peak, at] = [size_, k];
  }
  const rest = elsewhere(re, im, last, at, rate);
  const above_db = peak > 0 && rest > 0 ? 20 * Math.log10(peak / rest) : 0;
  const share = (2 * peak / size) ** 2 / (energy(shape, 0) * energy(recorded.subarray(at, at + shape.length), 1e-9));
  return { heard: above_db >= HEARD_DB && share >= LEAST_SHARE, at_s: at / rate, above_db };
}

/** What the filter answers away from the peak and from its echoes, as a root mean square. */
function elsewhere(re: Float64Array, im: Float64Array, last: number, at: number, rate: number): number {
  const [before, after] = [at - 0.05 * rate, at + 0.4 * rate];
  let sum = 0;
  let count = 0;
  for (let k = 0; k < last; k++) {
    if (k > before && k < after) continue;
    sum += (re[k] ?? 0) ** 2 + (im[k] ?? 0) ** 2;
    count += 1;
  }
  return count > 0 ? Math.sqrt(sum / count) : 0;
}

function energy(samples: Float32Array, least: number): number {
  return Math.max(samples.reduce((sum, sample) => sum + sample * sample, 0), least);
}

function powerOfTwo(least: number): number {
  let size = 1;
  while (size < least) size *= 2;
  return size;
}

/** The FFT in place (Cooley and Tukey, radix 2); `direction` -1: the inverse, not divided by its length. */
export function transform(re: Float64Array, im: Float64Array, direction: 1 | -1): void {
  const size = re.length;
  for (let k = 1, j = 0; k < size; k++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (k < j) {
      [re[k], re[j]] = [re[j] ?? 0, re[k] ?? 0];
      [im[k], im[j]] = [im[j] ?? 0, im[k] ?? 0];
    }
  }
  for (let half = 1; half < size; half *= 2) {
    for (let turn = 0; turn < half; turn++) {
      const angle = (-direction * Math.PI * turn) / half;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let k = turn; k < size; k += 2 * half) {
        const other = k + half;
        const [x, y] = [re[other] ?? 0, im[other] ?? 0];
        const [p, q] = [x * c - y * s, x * s + y * c];
        const [u, v] = [re[k] ?? 0, im[k] ?? 0];
        re[k] = u + p;
        im[k] = v + q;
        re[other] = u - p;
        im[other] = v - q;
      }
    }
  }
}
