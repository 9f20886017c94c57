/** How loud a local track is, for the meter beside the microphone. */
export class Loudness {
  private context: AudioContext | null = null;
  private analyser: AnalyserNode | null = null;
  private source: MediaStreamAudioSourceNode | null = null;
  private track: MediaStreamTrack | null = null;
  private readonly samples = new Float32Array(1024);

  /** A remote track is only heard here while an element plays it, muted or not. */
  listen(track: MediaStreamTrack | null): void {
    if (track === this.track) return;
    this.track = track;
    this.source?.disconnect();
    this.source = null;
    if (track === null) return;
    this.context ??= new AudioContext();
    this.analyser ??= new AnalyserNode(this.context, { fftSize: 2048 });
    this.source = this.context.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(this.analyser);
    void this.context.resume();
  }

  /** dBov, -127 for silence or where nothing is listened to. */
  read(): number {
    if (this.analyser === null || this.source === null) return -127;
    if (this.context?.state === "suspended") void this.context.resume();
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    return sum === 0 ? -127 : Math.max(-127, 10 * Math.log10(sum / this.samples.length));
  }

  stop(): void {
    this.listen(null);
    void this.context?.close();
    this.context = null;
    this.analyser = null;
  }
}
