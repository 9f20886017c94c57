/** The sample's voice as a wave (pure): a quiet motif, and a 1 kHz tone exactly while the sync block is white. */
import { SYNC_EVERY_MS, SYNC_MS } from "./stamp";

export const SAMPLE_RATE = 48_000;

export interface VoiceKind {
  /** The motif's lowest note. */
  baseHz: number;
  /** Rooms speak without the sync tone. */
  withTone: boolean;
}

const NOTE_MS = 300;
const NOTE_GAIN = 0.12;
const TONE_HZ = 1_000;
const TONE_GAIN = 0.4;
/** Semitones above the base, one a note, null rests; nothing sounds beside the tone. */
const MOTIF: readonly (number | null)[] = [null, null, 0, 4, 7, null, 9, 7, 4, null, 2, 4, 7, null, 4, null];

function swell(intoMs: number, lengthMs: number, rampMs: number): number {
  return Math.max(0, Math.min(1, intoMs / rampMs, (lengthMs - intoMs) / rampMs));
}

/** The wave at a time since 1970, -1 to 1. */
export function waveAt(timeMs: number, { baseHz, withTone }: VoiceKind): number {
  const into = timeMs % SYNC_EVERY_MS;
  if (into < SYNC_MS) {
    if (!withTone) return 0;
    return TONE_GAIN * swell(into, SYNC_MS, 2) * Math.sin((2 * Math.PI * TONE_HZ * into) / 1000);
  }
  const step = Math.floor(into / NOTE_MS);
  const semitones = MOTIF[step];
  if (semitones == null) return 0;
  const within = into - step * NOTE_MS;
  const hz = baseHz * 2 ** (semitones / 12);
  return NOTE_GAIN * swell(within, NOTE_MS, 40) * Math.sin((2 * Math.PI * hz * within) / 1000);
}

/** `samples` from `fromMs` on. */
export function wave(fromMs: number, samples: number, kind: VoiceKind): Float32Array<ArrayBuffer> {
  const out = new Float32Array(samples);
  for (let k = 0; k < samples; k++) out[k] = waveAt(fromMs + (k * 1000) / SAMPLE_RATE, kind);
  return out;
}
