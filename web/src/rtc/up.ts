/**
 * The up connection: everything this room sends, on one RTCPeerConnection, one m-line a source, pictures in
 * layers of which the server says which anybody has a use for.
 *
 * The page sets tracks; this makes offers, one at a time, tells the server which MID carries what,
 * keeps to the bit rates of the answers, and starts anew when the browser gives the connection up.
 * No DOM: the RTCPeerConnection comes from the host. An m-line is never taken away again: a source
 * that stops sends nothing (`replaceTrack(null)`) and comes back without a new offer.
 */
import type { AnswerUp, Layers, OfferUp, RestartUp, Source } from "@/protocol/messages";

import { encodingsOf, type Layer, layersOf, SETTINGS } from "./layers";
import { withServers } from "./road";
import { preferredCodecs, withAudioNack } from "./sdp";

const MUSIC_BITRATE = 128_000;

export interface UpHost {
  /** False when the line is away and nothing was sent. */
  send(message: OfferUp | RestartUp): boolean;
  create(): RTCPeerConnection;
  codecs(kind: string): RTCRtpCodec[];
  onState(state: RTCPeerConnectionState): void;
  /** The most a camera of this page sends; unset: a main room's. */
  cameraBitrate?: number;
}

/** The browser itself: what a page passes as `create` and `codecs`. */
export const browserUp = {
  create: (): RTCPeerConnection => new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" }),
  codecs: (kind: string): RTCRtpCodec[] => RTCRtpSender.getCapabilities(kind)?.codecs ?? [],
};

interface Line {
  track: MediaStreamTrack | null;
  transceiver: RTCRtpTransceiver | null;
  layers: Layer[];
}

const RESTART_AFTER_MS = 4_000;
/** Frames come before the path is up and find 300 kbit/s: Chromium would begin small and stay so for 8 s. */
const FULL_SIZE_FOR_MS = 3_000;
/** An offer without an answer for so long is made again on a new connection. */
const ANSWER_WITHIN_MS = 5_000;

export class UpConnection {
  /** The server's id of this connection, once answered. */
  id: string | null = null;
  state: RTCPeerConnectionState = "new";
  soundProcessing = true;
  private peer: RTCPeerConnection | null = null;
  private readonly lines = new Map<Source, Line>();
  private offer = 0;
  private pending: number | null = null;
  private dirty = false;
  private online = false;
  private servers: readonly RTCIceServer[] = [];
  private stuck: ReturnType<typeof setTimeout> | null = null;
  private unanswered: ReturnType<typeof setTimeout> | null = null;
  private bitrates: Record<string, number> = {};
  /** MID -> RIDs somebody has a use for; a line that is not named sends all its layers. */
  private wanted: Record<string, string[]> = {};
  private limits: Promise<void> = Promise.resolve();
  /** Past its first seconds: pictures may shrink now where the line is weak. */
  private begun = false;
  private beginning: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly host: UpHost) {}

  /** For `Hello.up`: the connection if it still lives. */
  get alive(): string | null {
    return this.peer !== null && this.state !== "failed" && this.state !== "closed" ? this.id : null;
  }

  /** Send this track as `source` from now on; null: send nothing for it. */
  async set(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const line = this.lines.get(source) ?? { track: null, transceiver: null, layers: [] };
    line.track = track;
    this.lines.set(source, line);
    if (line.transceiver !== null) {
      await line.transceiver.sender.replaceTrack(track);
      return;
    }
    if (track !== null) this.renegotiate();
  }

  sender(source: Source): RTCRtpSender | null {
    return this.lines.get(source)?.transceiver?.sender ?? null;
  }

  /** Voice processing off means stereo and more bits: the answer's fmtp says so to the encoder. */
  setSoundProcessing(on: boolean): void {
    if (this.soundProcessing === on) return;
    this.soundProcessing = on;
    if (this.lines.get("voice")?.transceiver != null) this.renegotiate();
  }

  /** The session is on (again). `kept`: the server still has the connection named in `Hello`. */
  welcomed(kept: boolean, servers = this.servers): void {
    this.servers = servers;
    this.online = true;
    if (kept && this.alive !== null) {
      const cut = this.pending !== null;
      this.settle();
      if (cut || this.dirty) this.renegotiate();
      return;
    }
    this.renew();
  }

  /** The line to the server is away: media goes on, offers wait. */
  offline(): void {
    this.online = false;
  }

  async answered(message: AnswerUp): Promise<void> {
    const peer = this.peer;
    if (peer === null || message.offer !== this.pending) return;
    await peer.setRemoteDescription({ type: "answer", sdp: message.sdp });
    if (this.peer !== peer) return;
    this.settle();
    this.id = message.connection;
    this.bitrates = message.bitrates;
    await this.applyLimits();
    if (this.dirty) this.renegotiate();
  }

  /** Which layers anybody has a use for; the others are switched off, and cost nothing. */
  layered(message: Layers): void {
    if (message.connection !== this.id) return;
    this.wanted = message.layers;
    void this.tryLimits();
  }

  /** Drop the connection and make a new one from the same tracks. */
  renew(): void {
    this.dispose();
    if ([...this.lines.values()].some((line) => line.track !== null)) this.renegotiate();
  }

  /** Send nothing any more; tracks set later make a new connection. */
  close(): void {
    this.dispose();
    this.lines.clear();
  }

  private dispose(): void {
    if (this.stuck !== null) clearTimeout(this.stuck);
    if (this.beginning !== null) clearTimeout(this.beginning);
    this.stuck = this.beginning = null;
    this.begun = false;
    this.peer?.close();
    this.peer = null;
    this.id = null;
    this.wanted = {};
    this.settle();
    this.dirty = false;
    this.state = "new";
    for (const line of this.lines.values()) line.transceiver = null;
  }

  private renegotiate(): void {
    this.dirty = true;
    if (!this.online || this.pending !== null) return;
    this.dirty = false;
    const offer = ++this.offer;
    this.pending = offer;
    this.unanswered = setTimeout(() => this.again(offer), ANSWER_WITHIN_MS);
    this.makeOffer(offer).catch((error: unknown) => console.warn("no offer could be made, trying again:", error));
  }

  private again(offer: number): void {
    if (this.pending === offer && this.online) this.restart();
  }

  /** Nothing is awaited any more. */
  private settle(): void {
    if (this.unanswered !== null) clearTimeout(this.unanswered);
    this.unanswered = null;
    this.pending = null;
  }

  private async makeOffer(offer: number): Promise<void> {
    await Promise.resolve(); // what is set in the same breath goes into the same offer
    if (this.pending !== offer) return;
    const peer = this.peer ?? this.open();
    for (const [source, line] of this.lines) {
      if (line.track !== null && line.transceiver === null) this.add(peer, source, line);
    }
    await this.tryLimits();
    if (this.peer !== peer || this.pending !== offer) return;
    const description = await peer.createOffer();
    if (this.peer !== peer || this.pending !== offer) return;
    const sdp = withAudioNack(description.sdp ?? "");
    await peer.setLocalDescription({ type: "offer", sdp });
    if (this.peer !== peer || this.pending !== offer) return;
    const sources: Record<string, Source> = {};
    for (const [source, line] of this.lines) {
      const mid = line.transceiver?.mid;
      if (mid != null) sources[mid] = source;
    }
    const message: OfferUp = {
      type: "offer_up",
      offer,
      sdp,
      sources,
      connection: this.id,
      sound_processing: this.soundProcessing,
    };
    if (!this.host.send(message)) {
      this.settle();
      this.dirty = true;
    }
  }

  private open(): RTCPeerConnection {
    const peer = withServers(this.host.create(), this.servers);
    this.peer = peer;
    peer.onconnectionstatechange = () => {
      if (this.peer === peer) this.changed(peer.connectionState);
    };
    return peer;
  }

  private add(peer: RTCPeerConnection, source: Source, line: Line): void {
    const track = line.track as MediaStreamTrack;
    const most = source === "camera" ? this.host.cameraBitrate : undefined;
    line.layers = layersOf(source, track.getSettings().height, most);
    const add = (layers: Layer[]): RTCRtpTransceiver =>
      peer.addTransceiver(track, { direction: "sendonly", sendEncodings: encodingsOf(source, layers) });
    try {
      line.transceiver = add(line.layers);
    } catch {
      line.layers = line.layers.slice(-1); // a browser without simulcast
      line.transceiver = add(line.layers);
    }
    line.transceiver.setCodecPreferences(preferredCodecs(track.kind, this.host.codecs(track.kind)));
  }

  private changed(state: RTCPeerConnectionState): void {
    this.state = state;
    if (this.stuck !== null) clearTimeout(this.stuck);
    this.stuck = null;
    if (state === "failed") this.restart();
    // The browser needs 17 s to call a dead path failed; with the session on, the path itself is gone.
    if (state === "disconnected") {
      this.stuck = setTimeout(() => this.state === "disconnected" && this.restart(), RESTART_AFTER_MS);
    }
    if (state === "connected" && !this.begun && this.beginning === null) {
      this.beginning = setTimeout(() => this.begin(), FULL_SIZE_FOR_MS);
    }
    this.host.onState(state);
  }

  private begin(): void {
    this.begun = true;
    void this.tryLimits();
  }

  /** A browser that refuses them sends without. */
  private async tryLimits(): Promise<void> {
    await this.applyLimits().catch((error: unknown) => console.warn("the encoders keep their limits:", error));
  }

  private restart(): void {
    if (!this.online || !this.host.send({ type: "restart_up" })) {
      this.state = "failed"; // so that `Hello` does not name it and `welcomed` makes a new one
      return;
    }
    this.renew();
  }

  /** One after the other: a browser refuses parameters that were read before others were set. */
  private applyLimits(): Promise<void> {
    this.limits = this.limits.catch(() => undefined).then(() => this.setLimits());
    return this.limits;
  }

  private async setLimits(): Promise<void> {
    for (const [source, line] of this.lines) {
      const transceiver = line.transceiver;
      // A line the server took no codec of is stopped: the others must go on.
      if (transceiver === null || transceiver.currentDirection === "stopped") continue;
      const told = transceiver.mid === null ? undefined : this.bitrates[transceiver.mid];
      const music = source === "voice" && !this.soundProcessing;
      const parameters = transceiver.sender.getParameters();
      const wanted = transceiver.mid === null ? undefined : this.wanted[transceiver.mid];
      for (const encoding of parameters.encodings) {
        const layer = line.layers.find((each) => each.rid === encoding.rid);
        const most = music ? MUSIC_BITRATE : SETTINGS[source].maxBitrate;
        encoding.maxBitrate = layer === undefined ? (told ?? most) : Math.min(layer.maxBitrate, told ?? most);
        encoding.active = layer === undefined || (wanted?.includes(layer.rid) ?? true);
      }
      (parameters as { degradationPreference?: string }).degradationPreference =
        this.begun || source === "voice" ? SETTINGS[source].degradation : "maintain-resolution";
      await transceiver.sender.setParameters(parameters);
    }
  }
}
