/**
 * One trial each: a picture of noise there and back by one road alone, and bytes over HTTPS.
 *
 * A road's figures: what its upward line took of the picture, and what came down while the server sent as much
 * as fits for a second. Both have a ceiling (`most`): who reaches it has that or more.
 */
import { ask, CampusProblem } from "@/api/campus";
import type { Road } from "@/protocol/messages";

import { Noise } from "./noise";

export type MediaRoad = Exclude<Road, "hls">;

/** Mbit/s, and whether the line may well carry more. */
export interface Rate {
  mbps: number;
  atLeast: boolean;
}

export interface Found {
  state: "waiting" | "works" | "closed" | "absent";
  roundTrip_ms?: number;
  /** Share of packets (of requests: HTTPS) that did not come back, 0 to 1. */
  loss?: number;
  connected_s?: number;
  down?: Rate;
  up?: Rate;
}

export interface Paths {
  ice_servers: RTCIceServer[];
  most_bytes: number;
  seconds: number;
}

interface Burst {
  bitrate_bps: number;
  milliseconds: number;
}

const CONNECT_WITHIN_MS = 8000;
const PINGS = 5;
const UP_BYTES = 200_000;
const UP_TIMES = 4;
const UP_MOST_BPS = 3_000_000;
const SETTLE_MS = 1500;
const LOOK_FOR_MS = 1500;
/** Of a ceiling: who has so much of it is held back by the ceiling. */
const NEARLY = 0.8;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** HTTPS, which the pages, signalling and the broadcast use. */
export async function overHttps(token: string | null, paths: Paths): Promise<Found> {
  const trips: number[] = [];
  let lost = 0;
  for (let k = 0; k < PINGS; k++) {
    const began = performance.now();
    const answered = await fetch("/healthz", { cache: "no-store" }).then((reply) => reply.ok, () => false);
    if (answered) trips.push(performance.now() - began);
    else lost += 1;
  }
  if (trips.length === 0) return { state: "closed" };
  const found: Found = { state: "works", roundTrip_ms: Math.min(...trips), loss: lost / PINGS };
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const bytes = Math.min(paths.most_bytes, 2_000_000);
  const began = performance.now();
  const came = await (await fetch(`/api/v1/network/bytes?bytes=${bytes}`, { headers, cache: "no-store" })).arrayBuffer();
  found.down = { mbps: (came.byteLength * 8) / ((performance.now() - began) * 1000), atLeast: false };
  const body = crypto.getRandomValues(new Uint8Array(65_536));
  const upBegan = performance.now();
  let sent = 0;
  for (let k = 0; k < UP_TIMES; k++) {
    const parts = [body, body, body].map((part) => part.slice(0, UP_BYTES / 3));
    const reply = await fetch("/api/v1/network/bytes", { method: "POST", headers, body: new Blob(parts) });
    if (reply.ok) sent += parts.reduce((sum, part) => sum + part.length, 0);
  }
  found.up = { mbps: (sent * 8) / ((performance.now() - upBegan) * 1000), atLeast: false };
  return found;
}

/** Two connections by one road and no other: the picture goes up one and comes down the other. */
export class RoadTrial {
  found: Found = { state: "waiting" };
  private readonly noise = new Noise();
  private readonly up: RTCPeerConnection;
  private readonly down: RTCPeerConnection;
  private trial = "";

  constructor(
    readonly road: MediaRoad,
    private readonly token: string | null,
    private readonly paths: Paths,
  ) {
    const relayed = road === "turn";
    const settings: RTCConfiguration = {
      bundlePolicy: "max-bundle",
      iceServers: relayed ? paths.ice_servers : [],
      iceTransportPolicy: relayed ? "relay" : "all",
    };
    this.up = new RTCPeerConnection(settings);
    this.down = new RTCPeerConnection(settings);
  }

  /** Whether it connects, and after how long. */
  async connect(): Promise<void> {
    if (this.road === "turn" && this.paths.ice_servers.length === 0) {
      this.found = { state: "absent" };
      return;
    }
    try {
      const began = performance.now();
      this.up.addTransceiver(this.noise.track, { direction: "sendonly", sendEncodings: [{ maxBitrate: UP_MOST_BPS }] });
      const sent = await this.exchange<{ trial: string }>(this.up, "network/trials", { road: this.road });
      this.trial = sent.trial;
      this.down.addTransceiver("video", { direction: "recvonly" });
      await this.exchange(this.down, `network/trials/${this.trial}/echo`, {});
      while (this.up.connectionState !== "connected" || this.down.connectionState !== "connected") {
        const failed = this.up.connectionState === "failed" || this.down.connectionState === "failed";
        if (failed || performance.now() - began > CONNECT_WITHIN_MS) throw new NotConnected();
        await pause(50);
      }
      const connected_s = (performance.now() - began) / 1000;
      this.found = { state: "works", connected_s, ...shortest(...(await this.look())) };
    } catch (problem) {
      if (problem instanceof CampusProblem && problem.status !== 0) throw problem;
      this.found = { state: "closed" };
    }
  }

  /** How wide the road is; one at a time, so that two roads of one line do not share it. */
  async measure(): Promise<void> {
    if (this.found.state !== "works") return;
    this.noise.start();
    await pause(SETTLE_MS);
    const [up0, down0] = await this.look();
    await pause(LOOK_FOR_MS);
    const [up1, down1] = await this.look();
    const lost = down1.lost - down0.lost;
    const loss = Math.max(0, lost) / Math.max(1, lost + down1.packets - down0.packets);
    const up = rate((up1.sent - up0.sent) * (1 - up1.lossThere), up1.at - up0.at, UP_MOST_BPS);
    this.found = { ...this.found, loss, up, ...shortest(this.found, up0, down0, up1, down1) };
    if (down1.packets === down0.packets) return; // no picture comes: nothing to send again in a burst
    const burst = await ask<Burst>("POST", `network/trials/${this.trial}/burst`, undefined, this.token);
    await pause(burst.milliseconds);
    const [, down2] = await this.look();
    this.found = { ...this.found, down: rate(down2.came - down1.came, down2.at - down1.at, burst.bitrate_bps) };
  }

  close(): void {
    this.noise.stop();
    this.up.close();
    this.down.close();
  }

  private async exchange<T extends object>(peer: RTCPeerConnection, path: string, body: object): Promise<T> {
    await peer.setLocalDescription(await peer.createOffer());
    const offer = { ...body, sdp: peer.localDescription?.sdp ?? "" };
    const answer = await ask<T & { sdp: string }>("POST", path, offer, this.token);
    await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    return answer;
  }

  private async look(): Promise<[Seen, Seen]> {
    return [await seen(this.up), await seen(this.down)];
  }
}

class NotConnected extends Error {}

/** Totals of one connection. */
interface Seen {
  at: number;
  sent: number;
  came: number;
  packets: number;
  lost: number;
  /** Share of what was sent that did not come, by the other side's word. */
  lossThere: number;
  roundTrip_ms?: number;
}

async function seen(peer: RTCPeerConnection): Promise<Seen> {
  const found: Seen = { at: performance.now(), sent: 0, came: 0, packets: 0, lost: 0, lossThere: 0 };
  (await peer.getStats()).forEach((entry: Record<string, unknown> & { type: string }) => {
    const number = (name: string): number => (typeof entry[name] === "number" ? (entry[name] as number) : 0);
    if (entry.type === "inbound-rtp") {
      found.packets += number("packetsReceived");
      found.lost += number("packetsLost");
    } else if (entry.type === "remote-inbound-rtp") found.lossThere = Math.max(0, number("fractionLost"));
    else if (entry.type === "candidate-pair" && entry["nominated"] === true) {
      found.sent += number("bytesSent");
      found.came += number("bytesReceived");
      if (number("currentRoundTripTime") > 0) found.roundTrip_ms = number("currentRoundTripTime") * 1000;
    }
  });
  return found;
}

/** The road's own round trip: a connection that stands is answered up to 110 ms later (docs/adr/0015). */
function shortest(...looks: { roundTrip_ms?: number }[]): { roundTrip_ms?: number } {
  const trips = looks.flatMap((each) => each.roundTrip_ms ?? []);
  return trips.length === 0 ? {} : { roundTrip_ms: Math.min(...trips) };
}

function rate(octets: number, milliseconds: number, most_bps: number): Rate {
  const bps = (octets * 8000) / Math.max(1, milliseconds);
  return { mbps: bps / 1e6, atLeast: bps > NEARLY * most_bps };
}
