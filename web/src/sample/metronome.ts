/** A tick every few milliseconds from a worker: a page in the background is not slowed down. */

const WORKER = `
  let timer = 0;
  onmessage = (event) => {
    clearInterval(timer);
    if (event.data > 0) timer = setInterval(() => postMessage(0), event.data);
  };
`;

export class Metronome {
  private readonly worker: Worker;
  private readonly url: string;

  constructor(everyMs: number, onTick: () => void) {
    this.url = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
    this.worker = new Worker(this.url);
    this.worker.onmessage = onTick;
    this.worker.postMessage(everyMs);
  }

  stop(): void {
    this.worker.terminate();
    URL.revokeObjectURL(this.url);
  }
}
