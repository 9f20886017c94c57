/** One trial each: a connection that may use one road alone, and bytes over HTTPS. */
import { ask, CampusProblem } from "@/api/campus";
import type { Road } from "@/protocol/messages";

export interface Found {
  state: "waiting" | "works" | "closed" | "absent";
  roundTrip_ms?: number;
  /** Share of checks without an answer, 0 to 1. */
  loss?: number;
  connected_s?: number;
  down_mbps?: number;
  up_mbps?: number;
}

export interface Paths {
  ice_servers: RTCIceServer[];
  most_bytes: number;
  seconds: number;
}

const CONNECT_WITHIN_MS = 8000;
const LOOK_FOR_MS = 3000;
const PINGS = 5;
const UP_BYTES = 200_000;
const UP_TIMES = 4;

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
  found.down_mbps = (came.byteLength * 8) / ((performance.now() - began) * 1000);
  const body = crypto.getRandomValues(new Uint8Array(65_536));
  const upBegan = performance.now();
  let sent = 0;
  for (let k = 0; k < UP_TIMES; k++) {
    const parts = [body, body, body].map((part) => part.slice(0, UP_BYTES / 3));
    const reply = await fetch("/api/v1/network/bytes", { method: "POST", headers, body: new Blob(parts) });
    if (reply.ok) sent += parts.reduce((sum, part) => sum + part.length, 0);
  }
  found.up_mbps = (sent * 8) / ((performance.now() - upBegan) * 1000);
  return found;
}

/** A connection by this road and no other. */
export async function overRoad(road: Exclude<Road, "hls">, token: string | null, paths: Paths): Promise<Found> {
  if (road === "turn" && paths.ice_servers.length === 0) return { state: "absent" };
  const relayed = road === "turn";
  const peer = new RTCPeerConnection({
    bundlePolicy: "max-bundle",
    iceServers: relayed ? paths.ice_servers : [],
    iceTransportPolicy: relayed ? "relay" : "all",
  });
  try {
    peer.addTransceiver("audio", { direction: "recvonly" });
    peer.addTransceiver("video", { direction: "recvonly" });
    await peer.setLocalDescription(await peer.createOffer());
    const began = performance.now();
    const body = { road, sdp: peer.localDescription?.sdp ?? "" };
    const { sdp } = await ask<{ sdp: string }>("POST", "network/trial", body, token);
    await peer.setRemoteDescription({ type: "answer", sdp });
    while (peer.connectionState !== "connected") {
      if (performance.now() - began > CONNECT_WITHIN_MS || peer.connectionState === "failed") return { state: "closed" };
      await pause(50);
    }
    const connected_s = (performance.now() - began) / 1000;
    await pause(LOOK_FOR_MS);
    return { state: "works", connected_s, ...checksOf(await peer.getStats()) };
  } catch (problem) {
    if (problem instanceof CampusProblem && problem.status !== 0) throw problem;
    return { state: "closed" };
  } finally {
    peer.close();
  }
}

/** Round trip and loss of the STUN checks on the chosen pair. */
function checksOf(stats: RTCStatsReport): Pick<Found, "roundTrip_ms" | "loss"> {
  const found: Pick<Found, "roundTrip_ms" | "loss"> = {};
  stats.forEach((entry: RTCIceCandidatePairStats) => {
    if (entry.type !== "candidate-pair" || entry.nominated !== true) return;
    const { totalRoundTripTime, responsesReceived, requestsSent } = entry;
    if (totalRoundTripTime === undefined || !responsesReceived) return;
    found.roundTrip_ms = (totalRoundTripTime / responsesReceived) * 1000;
    // The last check may still be on its way.
    found.loss = Math.max(0, (requestsSent ?? 0) - 1 - responsesReceived) / Math.max(1, requestsSent ?? 1);
  });
  return found;
}
