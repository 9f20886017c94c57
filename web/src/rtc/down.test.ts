import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { AnswerDown, OfferDown, WantDown } from "@/protocol/messages";

import { DownConnection } from "./down";

/** The browser's part of a connection, as far as a down connection touches it. */
class FakePeer {
  connectionState = "new";
  onconnectionstatechange: (() => void) | null = null;
  closed = false;
  refuses = false;

  async setRemoteDescription(): Promise<void> {
    if (this.refuses) throw new Error("not an offer");
  }
  async createAnswer(): Promise<{ sdp: string }> {
    return { sdp: "answer" };
  }
  async setLocalDescription(): Promise<void> {}
  getTransceivers(): unknown[] {
    return ["0", "1"].map((mid) => ({ mid, receiver: { track: { id: `t${mid}` } } }));
  }
  close(): void {
    this.closed = true;
  }
  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

function offer(connection: string, number = 1): OfferDown {
  const slots = [
    { name: "stage", mid: "0", kind: "video" },
    { name: "main", mid: "1", kind: "audio" },
  ];
  return { type: "offer_down", connection, offer: number, sdp: "offer", slots };
}

function connection() {
  const peers: FakePeer[] = [];
  const sent: (AnswerDown | WantDown)[] = [];
  const down = new DownConnection({
    create: () => {
      const peer = new FakePeer();
      peers.push(peer);
      return peer as unknown as RTCPeerConnection;
    },
    send: (message) => {
      sent.push(message);
      return true;
    },
    onSlots: () => undefined,
    onState: () => undefined,
  });
  down.welcomed(false);
  return { down, peers, sent, types: () => sent.map((message) => message.type) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a down connection", () => {
  it("answers the server's offer and keeps each slot's track", async () => {
    const { down, sent } = connection();
    await down.offered(offer("d1"));
    expect(sent).toEqual([{ type: "answer_down", connection: "d1", offer: 1, sdp: "answer" }]);
    expect(down.slots.get("stage")?.track?.id).toBe("t0");
    expect(down.alive).toBe("d1");
  });

  it("shows what a slot carries by the server's word, and not by another connection's", async () => {
    const { down } = connection();
    await down.offered(offer("d1"));
    down.assigned({ type: "slots", connection: "d1", slots: { stage: { room: "main", source: "camera", thin: false } } });
    down.assigned({ type: "slots", connection: "d0", slots: { stage: { room: "shahe", source: "camera", thin: false } } });
    expect(down.slots.get("stage")?.carries?.room).toBe("main");
    expect(down.slots.get("main")?.carries).toBeNull();
  });

  it("replaces the old connection by an offer of a new one", async () => {
    const { down, peers } = connection();
    await down.offered(offer("d1"));
    await down.offered(offer("d2"));
    expect(peers.map((peer) => peer.closed)).toEqual([true, false]);
    expect(down.alive).toBe("d2");
  });

  it("asks for another where the browser gives it up, at once or after a while", async () => {
    const { down, peers, types } = connection();
    await down.offered(offer("d1"));
    peers[0]?.become("failed");
    expect(types()).toEqual(["answer_down", "want_down"]);
    await down.offered(offer("d2"));
    peers[1]?.become("disconnected");
    peers[1]?.become("connected");
    vi.advanceTimersByTime(10_000);
    expect(down.alive).toBe("d2");
    peers[1]?.become("disconnected");
    vi.advanceTimersByTime(10_000);
    expect(types().at(-1)).toBe("want_down");
    expect(down.alive).toBeNull();
  });

  it("asks for nothing while the line is away, and keeps what still plays", async () => {
    const { down, peers, types } = connection();
    await down.offered(offer("d1"));
    down.offline();
    peers[0]?.become("failed");
    expect(types()).toEqual(["answer_down"]);
    expect(down.alive).toBeNull();
    const other = connection();
    await other.down.offered(offer("d1"));
    other.down.offline();
    other.down.welcomed(true);
    expect(other.down.alive).toBe("d1");
    expect(other.peers[0]?.closed).toBe(false);
  });

  it("waits for the server's offer after its worker died, and asks where it was busy", async () => {
    const { down, types } = connection();
    await down.offered(offer("d1"));
    down.drop();
    down.busy(2_000);
    expect(types()).toEqual(["answer_down"]);
    vi.advanceTimersByTime(2_000);
    expect(types()).toEqual(["answer_down", "want_down"]);
  });

  it("answers the next offer after one the browser did not take", async () => {
    const { down, peers } = connection();
    await down.offered(offer("d1"));
    const [first] = peers;
    if (first !== undefined) first.refuses = true;
    await expect(down.offered(offer("d1", 2))).rejects.toThrow("not an offer");
    await down.offered(offer("d2"));
    expect(down.alive).toBe("d2");
  });
});
