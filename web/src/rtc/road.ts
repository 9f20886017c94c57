/** How media comes: the road ICE chose, and the servers it may be led through. No DOM. */
import type { Road } from "@/protocol/messages";

interface Pair {
  localCandidateId?: string;
  nominated?: boolean;
  state?: string;
  /** Old names of the same. */
  selected?: boolean;
}

/** The road of a connection's chosen candidates; null while none is chosen. */
export function roadOf(stats: RTCStatsReport): Road | null {
  const entries: (RTCStats & Record<string, unknown>)[] = [];
  stats.forEach((entry: RTCStats & Record<string, unknown>) => entries.push(entry));
  const transport = entries.find((entry) => entry.type === "transport") as { selectedCandidatePairId?: string } | undefined;
  const pairs = entries.filter((entry) => entry.type === "candidate-pair") as (RTCStats & Pair)[];
  const chosen =
    pairs.find((pair) => pair.id === transport?.selectedCandidatePairId) ??
    pairs.find((pair) => pair.selected === true || (pair.nominated === true && pair.state === "succeeded"));
  const local = stats.get(chosen?.localCandidateId ?? "") as { candidateType?: string; protocol?: string } | undefined;
  if (local === undefined) return null;
  if (local.candidateType === "relay") return "turn";
  return local.protocol === "tcp" ? "tcp" : "udp";
}

/** The same connection, told of the TURN servers: before its first description. */
export function withServers(peer: RTCPeerConnection, servers: readonly RTCIceServer[]): RTCPeerConnection {
  if (servers.length > 0) peer.setConfiguration({ ...peer.getConfiguration(), iceServers: [...servers] });
  return peer;
}
