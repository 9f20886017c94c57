/**
 * The room listens to itself: plays a chirp, records two seconds with the browser's sound processing off, looks
 * for the chirp and throws the sound away. It proves loudspeaker and microphone; the microphone is held for those
 * seconds only.
 */
import type { HearChecked } from "@/protocol/messages";
import { chirp, find } from "@/rtc/chirp";

const BEFORE_S = 0.6;
const RECORD_S = 2.2;
const LEVEL = 0.4;
const BLOCK = 4096;
const WITHIN_MS = 15_000;
const RAW: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export type Outcome = Omit<Required<HearChecked>, "type">;

/** Never rejects; the longest it takes is WITHIN_MS. */
export async function hearYourself(): Promise<Outcome> {
  const stream = await navigator.mediaDevices?.getUserMedia({ audio: RAW }).catch(() => null);
  if (!stream) return { result: "no_microphone", delay_ms: 0, above_db: 0 };
  const context = new AudioContext();
  try {
    await Promise.race([context.resume(), pause(2_000)]);
    if (context.state !== "running") return { result: "not_played", delay_ms: 0, above_db: 0 };
    return await Promise.race([listen(context, stream), pause(WITHIN_MS).then(nothing)]);
  } catch {
    return nothing();
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    context.close().catch(() => undefined); // it is closed already
  }
}

async function listen(context: AudioContext, stream: MediaStream): Promise<Outcome> {
  const rate = context.sampleRate;
  const recorded = new Float32Array(Math.round(RECORD_S * rate));
  let filled = 0;
  let done: () => void = () => undefined;
  const full = new Promise<void>((resolve) => (done = resolve));
  // An AudioWorklet needs a file of its own; this is enough for two seconds and known to Chrome 79.
  const tap = context.createScriptProcessor(BLOCK, 1, 1);
  tap.onaudioprocess = ({ inputBuffer }) => {
    const block = inputBuffer.getChannelData(0).subarray(0, recorded.length - filled);
    recorded.set(block, filled);
    filled += block.length;
    if (filled === recorded.length) done();
  };
  const microphone = context.createMediaStreamSource(stream);
  microphone.connect(tap);
  tap.connect(context.destination); // it is silent, and runs only when it leads somewhere
  const shape = chirp(rate, LEVEL);
  const buffer = context.createBuffer(1, shape.length, rate);
  buffer.copyToChannel(shape, 0);
  const player = context.createBufferSource();
  player.buffer = buffer;
  player.connect(context.destination);
  player.start(context.currentTime + BEFORE_S);
  await full;
  microphone.disconnect();
  tap.disconnect();
  const found = find(recorded, rate);
  recorded.fill(0);
  const delay_ms = Math.max(0, Math.round((found.at_s - BEFORE_S) * 1000));
  return { result: found.heard ? "heard" : "not_heard", delay_ms, above_db: Math.round(found.above_db * 10) / 10 };
}

function nothing(): Outcome {
  return { result: "not_heard", delay_ms: 0, above_db: 0 };
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
