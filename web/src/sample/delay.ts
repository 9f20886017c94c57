/** How late a video element shows the sample's numbered pictures. */
import { ageMs, clockMs, readRow } from "./stamp";

const KEEP = 75;
const WIDTH = 320;

type FrameCallback = (now: number, frame: { expectedDisplayTime?: number }) => void;
interface ModernVideo extends Omit<HTMLVideoElement, "requestVideoFrameCallback"> {
  requestVideoFrameCallback?: (callback: FrameCallback) => number;
}

export class DelayProbe {
  private readonly canvas = document.createElement("canvas");
  private readonly pixels: CanvasRenderingContext2D | null;
  private readonly ages: number[] = [];
  private lastNumber = -1;
  private running = true;

  constructor(private readonly video: HTMLVideoElement) {
    this.canvas.width = WIDTH;
    this.canvas.height = 1;
    this.pixels = this.canvas.getContext("2d", { willReadFrequently: true, alpha: false });
    this.next();
  }

  /** Median age of the last pictures when they were shown, in ms; null before there are some. */
  median(): number | null {
    if (this.ages.length < 10) return null;
    const sorted = [...this.ages].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  /** Forget what was seen, e.g. after a cut. */
  reset(): void {
    this.ages.length = 0;
  }

  stop(): void {
    this.running = false;
  }

  private next(): void {
    if (!this.running) return;
    const video = this.video as ModernVideo;
    const look = (): void => {
      this.look();
      this.next();
    };
    if (video.requestVideoFrameCallback !== undefined) video.requestVideoFrameCallback(look);
    else requestAnimationFrame(look);
  }

  private look(): void {
    const { videoWidth, videoHeight } = this.video;
    if (this.pixels === null || videoWidth === 0) return;
    const middle = Math.max(0, Math.floor(videoHeight / 36) - 1);
    this.pixels.drawImage(this.video as CanvasImageSource, 0, middle, videoWidth, 2, 0, 0, WIDTH, 1);
    const stamp = readRow(this.pixels.getImageData(0, 0, WIDTH, 1).data, WIDTH);
    if (stamp === null || stamp.number === this.lastNumber) return;
    this.lastNumber = stamp.number;
    this.ages.push(ageMs(stamp.number, clockMs()));
    if (this.ages.length > KEEP) this.ages.shift();
  }
}
