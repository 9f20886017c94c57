/**
 * The down connection: fixed slots, offered by the server, answered here.
 *
 * A slot keeps its track for the life of the connection; what it carries changes by `Slots`, without
 * SDP. No DOM: the RTCPeerConnection comes from the host, the page puts the tracks into elements.
 */
import type { AnswerDown, Assigned, OfferDown, Road, SlotReport, Slots, WantDown } from "@/protocol/messages";

import { SlotMeter } from "./meter";
import { roadOf, withServers } from "./road";

export interface DownHost {
  /** False when the line is away and nothing was sent. */
  send(message: AnswerDown | WantDown): boolean;
  create(): RTCPeerConnection;
  /** Tracks or assignments changed: put them into elements again. */
  onSlots(slots: ReadonlyMap<string, Slot>): void;
  onState(state: RTCPeerConnectionState): void;
  /** Pixels in height of the place a slot is shown in; 0: not known. */
  shown?(slot: string): number;
}

export interface Slot {
  name: string;
  kind: string;
  mid: string;
  track: MediaStreamTrack | null;
  /** What it carries now; null: nothing. */
  carries: Assigned | null;
}

/** The browser itself: what a page passes as `create`. */
export const browserDown = {
  create: (): RTCPeerConnection => new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" }),
};

const AGAIN_AFTER_MS = 4_000;

export class DownConnection {
  id: string | null = null;
  state: RTCPeerConnectionState = "new";
  /** How media comes, as of the last `report`. */
  road: Road | null = null;
  readonly slots = new Map<string, Slot>();
  private peer: RTCPeerConnection | null = null;
  private spare: RTCPeerConnection | null = null;
  private readonly meters = new Map<string, SlotMeter>();
  private online = false;
  private servers: readonly RTCIceServer[] = [];
  private stuck: ReturnType<typeof setTimeout> | null = null;
  /** Offers are answered one after the other. */
  private work: Promise<void> = Promise.resolve();

  constructor(private readonly host: DownHost) {}

  /** For `Hello.down`: the connection if it still lives. */
  get alive(): string | null {
    return this.peer !== null && this.state !== "failed" && this.state !== "closed" ? this.id : null;
  }

  /** The session is on (again); without `kept` the server offers a new connection by itself. */
  welcomed(kept: boolean, servers = this.servers): void {
    this.online = true;
    this.servers = servers;
    if (!kept) this.dispose();
  }

  offline(): void {
    this.online = false;
  }

  offered(message: OfferDown): Promise<void> {
    // An offer that failed must not keep the next one from being answered.
    this.work = this.work.catch(() => undefined).then(() => this.answer(message));
    return this.work;
  }

  assigned(message: Slots): void {
    if (message.connection !== this.id) return;
    for (const slot of this.slots.values()) slot.carries = message.slots[slot.name] ?? null;
    this.host.onSlots(this.slots);
  }

  /** The worker is gone: drop it, the server offers a new one by itself. */
  drop(): void {
    this.dispose();
  }

  /** Drop it and ask for another. */
  renew(): void {
    this.dispose();
    if (this.online) this.host.send({ type: "want_down" });
  }

  /** Keep it and look for a better road: the server offers an ICE restart. */
  restart(): void {
    if (this.online && this.state === "connected") this.host.send({ type: "want_down", restart: true });
  }

  close(): void {
    this.dispose();
    this.spare?.close();
    this.spare = null;
    this.online = false;
  }

  /** The server could not offer just now (`Refused`): ask again after its time, unless one is there by then. */
  busy(retryAfterMs: number): void {
    if (this.id !== null || this.stuck !== null) return;
    this.stuck = setTimeout(() => {
      this.stuck = null;
      if (this.id === null && this.online) this.host.send({ type: "want_down" });
    }, retryAfterMs);
  }

  /** What each slot did since the last call, in the words of `Report`. */
  async report(): Promise<SlotReport[]> {
    const peer = this.peer;
    if (peer === null) return [];
    const stats = await peer.getStats();
    if (this.peer === peer) this.road = this.state === "connected" ? roadOf(stats) : null;
    const byMid = new Map<string, RTCInboundRtpStreamStats>();
    stats.forEach((entry: RTCStats & { trackId?: string }) => {
      if (entry.type !== "inbound-rtp") return;
      // Chrome before 93 keeps the decoder's figures, and the track's id, in an entry of their own.
      const decoder = entry.trackId === undefined ? undefined : (stats.get(entry.trackId) as RTCStats | undefined);
      const inbound = { ...decoder, ...entry } as RTCInboundRtpStreamStats;
      if (inbound.mid !== undefined) byMid.set(inbound.mid, inbound);
      else this.findByTrack(inbound, byMid);
    });
    const reports: SlotReport[] = [];
    for (const slot of this.slots.values()) {
      let meter = this.meters.get(slot.name);
      if (meter === undefined) this.meters.set(slot.name, (meter = new SlotMeter(slot.name)));
      const inbound = byMid.get(slot.mid);
      if (inbound !== undefined) reports.push(meter.read(inbound, this.host.shown?.(slot.name) ?? 0));
    }
    return reports;
  }

  /** The audio slots' loudness and life since the last `report`, by slot name. */
  meter(name: string): SlotMeter | undefined {
    return this.meters.get(name);
  }

  private findByTrack(inbound: RTCInboundRtpStreamStats, byMid: Map<string, RTCInboundRtpStreamStats>): void {
    // Chrome before 96 tells no mid in its stats, but the receiver's track id.
    const trackId = (inbound as { trackIdentifier?: string }).trackIdentifier;
    for (const slot of this.slots.values()) {
      if (trackId !== undefined && slot.track?.id === trackId) byMid.set(slot.mid, inbound);
    }
  }

  private async answer(message: OfferDown): Promise<void> {
    if (message.connection !== this.id) {
      this.dispose();
      this.open();
      this.id = message.connection;
    }
    const peer = this.peer;
    if (peer === null) return;
    for (const { name, mid, kind } of message.slots) {
      const known = this.slots.get(name);
      this.slots.set(name, { name, mid, kind, track: known?.track ?? null, carries: known?.carries ?? null });
    }
    await peer.setRemoteDescription({ type: "offer", sdp: message.sdp });
    const answer = await peer.createAnswer();
    if (this.peer !== peer) return;
    for (const slot of this.slots.values()) {
      const transceiver = peer.getTransceivers().find((one) => one.mid === slot.mid);
      slot.track = transceiver?.receiver.track ?? null;
    }
    this.host.send({
      type: "answer_down",
      connection: message.connection,
      offer: message.offer,
      sdp: answer.sdp ?? "",
    });
    // The other side never calls first: it may read the answer while the browser still takes it in.
    await peer.setLocalDescription(answer);
    if (this.peer === peer) this.host.onSlots(this.slots);
  }

  /** Make the next connection's object ahead: a browser's first takes it long. Nothing is sent. */
  prepare(): void {
    this.spare ??= this.host.create();
  }

  private open(): void {
    const peer = withServers(this.spare ?? this.host.create(), this.servers);
    this.spare = null;
    this.peer = peer;
    peer.onconnectionstatechange = () => {
      if (this.peer === peer) this.changed(peer.connectionState);
    };
  }

  private changed(state: RTCPeerConnectionState): void {
    this.state = state;
    if (this.stuck !== null) clearTimeout(this.stuck);
    this.stuck = null;
    if (state === "failed" && this.online) this.renew();
    if (state === "disconnected") {
      this.stuck = setTimeout(() => {
        if (this.state === "disconnected" && this.online) this.renew();
      }, AGAIN_AFTER_MS);
    }
    this.host.onState(state);
  }

  private dispose(): void {
    if (this.stuck !== null) clearTimeout(this.stuck);
    this.stuck = null;
    const had = this.peer !== null;
    this.peer?.close();
    this.peer = null;
    this.id = null;
    this.road = null;
    this.state = "new";
    this.slots.clear();
    this.meters.clear();
    if (had) this.host.onSlots(this.slots);
  }
}
