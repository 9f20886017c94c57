/** A picture that no codec can make small: it fills the bit rate it is allowed. */
const WIDTH = 640;
const HEIGHT = 360;
const FRAMES = 20;
const BLOCK = 8;

export class Noise {
  readonly track: MediaStreamTrack;
  private readonly canvas = document.createElement("canvas");
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.canvas.width = WIDTH;
    this.canvas.height = HEIGHT;
    this.canvas.getContext("2d")?.fillRect(0, 0, WIDTH, HEIGHT);
    const [track] = this.canvas.captureStream(FRAMES).getVideoTracks();
    if (track === undefined) throw new Error("a canvas without a track");
    this.track = track;
  }

  start(): void {
    const pen = this.canvas.getContext("2d");
    this.timer = setInterval(() => {
      if (pen === null) return;
      for (let y = 0; y < HEIGHT; y += BLOCK) {
        for (let x = 0; x < WIDTH; x += BLOCK) {
          const grey = Math.floor(Math.random() * 256);
          pen.fillStyle = `rgb(${grey},${grey},${grey})`;
          pen.fillRect(x, y, BLOCK, BLOCK);
        }
      }
    }, 1000 / FRAMES);
  }

  stop(): void {
    clearInterval(this.timer);
    this.track.stop();
  }
}
