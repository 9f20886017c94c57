/** Plays every audio slot, each in an element of its own, and knows when the browser refuses to. */

export class Sound {
  /** The browser waits for a touch. */
  blocked = false;
  private readonly elements = new Map<string, HTMLAudioElement>();
  private muted = false;

  constructor(
    private readonly volume: number,
    private readonly onBlocked: (blocked: boolean) => void,
  ) {}

  /** The tracks to be heard, by slot; what is missing falls silent. */
  set(tracks: ReadonlyMap<string, MediaStreamTrack>): void {
    for (const [slot, element] of this.elements) {
      if (tracks.has(slot)) continue;
      element.srcObject = null;
      this.elements.delete(slot);
    }
    tracks.forEach((track, slot) => this.play(slot, track));
    if (tracks.size === 0) this.tell(false);
  }

  /** The sample's rooms stand side by side on one screen: they are silent until asked. */
  mute(muted: boolean): void {
    this.muted = muted;
    this.elements.forEach((element) => (element.muted = muted));
  }

  /** After a touch or key, and once a second while blocked: a page that captures may play. */
  retry(): void {
    this.elements.forEach((element) => {
      if (element.paused) this.start(element);
    });
  }

  private play(slot: string, track: MediaStreamTrack): void {
    const known = this.elements.get(slot);
    const element = known ?? new Audio();
    const stream = element.srcObject as MediaStream | null;
    if (stream?.getAudioTracks()[0] === track) return;
    element.autoplay = true;
    element.muted = this.muted;
    element.volume = this.volume;
    element.srcObject = new MediaStream([track]);
    this.elements.set(slot, element);
    this.start(element);
  }

  private start(element: HTMLAudioElement): void {
    element.play().then(
      () => this.tell([...this.elements.values()].some((one) => one.paused)),
      (error: unknown) => {
        if (error instanceof DOMException && error.name === "NotAllowedError") this.tell(true);
      },
    );
  }

  private tell(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.onBlocked(blocked);
  }
}
