/**
 * Camera, courseware and voice for a page without any device: the sample lesson's media.
 *
 * Every picture bears the numbered strip of `stamp`; the pages of one machine can so measure delay.
 */
import { Metronome } from "./metronome";
import { drawPupils, drawSlides, drawTeacher } from "./pictures";
import type { Draw } from "./pictures";
import { clockMs, drawStamp, FRAME_MS, stampAt } from "./stamp";
import { sampleVoice } from "./voice";

export type SampleKind = "main" | "room";

export interface SampleSources {
  camera: MediaStreamTrack;
  camera2: MediaStreamTrack | null;
  screen: MediaStreamTrack | null;
  voice: MediaStreamTrack;
  stop(): void;
}

interface Picture {
  width: number;
  height: number;
  /** Drawn once in so many frames of 40 ms. */
  every: number;
  draw: Draw;
}

class Painter {
  readonly track: MediaStreamTrack;
  private readonly canvas: CanvasRenderingContext2D;
  private last = -1;

  constructor(private readonly picture: Picture) {
    const element = document.createElement("canvas");
    element.width = picture.width;
    element.height = picture.height;
    const canvas = element.getContext("2d", { alpha: false, willReadFrequently: true });
    const track = element.captureStream().getVideoTracks()[0];
    if (canvas === null || track === undefined) throw new Error("this browser cannot draw the sample");
    this.canvas = canvas;
    this.track = track;
  }

  paint(timeMs: number): void {
    const frame = Math.floor(timeMs / FRAME_MS / this.picture.every);
    if (frame === this.last) return;
    this.last = frame;
    this.picture.draw(this.canvas, timeMs);
    drawStamp(this.canvas, stampAt(timeMs));
  }
}

const MAIN = {
  camera: { width: 640, height: 360, every: 1, draw: drawTeacher },
  screen: { width: 1280, height: 720, every: 5, draw: drawSlides },
};

/** `seed` makes one room's pupils and voice differ from another's. */
export function sampleSources(kind: SampleKind, seed = 0): SampleSources {
  const painters: Painter[] = [];
  const paint = (picture: Picture): MediaStreamTrack => {
    const painter = new Painter(picture);
    painters.push(painter);
    return painter.track;
  };
  const camera =
    kind === "main" ? paint(MAIN.camera) : paint({ width: 640, height: 360, every: 2, draw: drawPupils(seed) });
  const screen = kind === "main" ? paint(MAIN.screen) : null;
  if (screen !== null) screen.contentHint = "detail";
  const voice = sampleVoice({
    baseHz: kind === "main" ? 220 : 330 * 2 ** ((seed % 4) / 6),
    withTone: kind === "main",
  });
  const tick = (): void => {
    const now = clockMs();
    for (const painter of painters) painter.paint(now);
    voice.tick();
  };
  tick();
  const metronome = new Metronome(8, tick);
  return {
    camera,
    camera2: null,
    screen,
    voice: voice.track,
    stop() {
      metronome.stop();
      for (const painter of painters) painter.track.stop();
      voice.stop();
    },
  };
}
