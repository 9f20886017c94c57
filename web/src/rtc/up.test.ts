import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { OfferUp, RestartUp } from "@/protocol/messages";

import { UpConnection } from "./up";

/** The browser's part of a connection, as far as an up connection touches it. */
class FakePeer {
  connectionState = "new";
  onconnectionstatechange: (() => void) | null = null;
  closed = false;
  readonly transceivers: { mid: string | null; track: unknown; replaced: unknown[]; parameters: RTCRtpSendParameters }[] = [];
  remote: string[] = [];

  static refusesLayers = false;

  addTransceiver(track: unknown, init: { sendEncodings: RTCRtpEncodingParameters[] }): unknown {
    if (FakePeer.refusesLayers && init.sendEncodings.length > 1) throw new TypeError("no simulcast");
    const own = {
      mid: null as string | null,
      track,
      replaced: [] as unknown[],
      parameters: { encodings: init.sendEncodings } as unknown as RTCRtpSendParameters,
    };
    this.transceivers.push(own);
    return {
      get mid() {
        return own.mid;
      },
      setCodecPreferences: () => undefined,
      sender: {
        replaceTrack: async (other: unknown) => void own.replaced.push(other),
        getParameters: () => own.parameters,
        setParameters: async (parameters: RTCRtpSendParameters) => void (own.parameters = parameters),
      },
    };
  }
  async createOffer(): Promise<{ sdp: string }> {
    return { sdp: `offer of ${this.transceivers.length}` };
  }
  async setLocalDescription(): Promise<void> {
    this.transceivers.forEach((own, k) => (own.mid = String(k)));
  }
  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.remote.push(sdp);
  }
  close(): void {
    this.closed = true;
  }
  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const track = (kind: string): MediaStreamTrack =>
  ({ kind, getSettings: () => (kind === "video" ? { height: 720 } : {}) }) as unknown as MediaStreamTrack;
const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

function connection() {
  const peers: FakePeer[] = [];
  const sent: (OfferUp | RestartUp)[] = [];
  let online = true;
  const up = new UpConnection({
    create: () => {
      const peer = new FakePeer();
      peers.push(peer);
      return peer as unknown as RTCPeerConnection;
    },
    codecs: () => [],
    send: (message) => {
      if (online) sent.push(message);
      return online;
    },
    onState: () => undefined,
  });
  const offers = (): OfferUp[] => sent.filter((message): message is OfferUp => message.type === "offer_up");
  const answer = async (bitrates: Record<string, number> = {}): Promise<void> => {
    const all = offers();
    const last = all[all.length - 1];
    await up.answered({ type: "answer_up", offer: last?.offer ?? 0, connection: "c1", sdp: "answer", bitrates });
    await settle();
  };
  return { up, peers, sent, offers, answer, cut: () => (online = false), mend: () => (online = true) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the up connection", () => {
  it("offers what was set before the session was on, once it is", async () => {
    const { up, offers } = connection();
    await up.set("voice", track("audio"));
    await up.set("camera", track("video"));
    expect(offers()).toEqual([]);
    up.welcomed(false);
    await settle();
    expect(offers()).toHaveLength(1);
    expect(offers()[0]).toMatchObject({ connection: null, sources: { 0: "voice", 1: "camera" } });
  });

  it("puts what is set in one breath into one offer", async () => {
    const { up, offers } = connection();
    up.welcomed(false);
    void up.set("voice", track("audio"));
    void up.set("camera", track("video"));
    await settle();
    expect(offers()).toHaveLength(1);
    expect(offers()[0]?.sources).toEqual({ 0: "voice", 1: "camera" });
  });

  it("makes one offer at a time, and the next from the answer on", async () => {
    const { up, offers, answer } = connection();
    up.welcomed(false);
    await up.set("voice", track("audio"));
    await settle();
    await up.set("camera", track("video"));
    await up.set("screen", track("video"));
    await settle();
    expect(offers()).toHaveLength(1);
    await answer();
    expect(offers()).toHaveLength(2);
    expect(offers()[1]).toMatchObject({ connection: "c1", sources: { 0: "voice", 1: "camera", 2: "screen" } });
  });

  it("takes a source away and brings it back without an offer", async () => {
    const { up, peers, offers, answer } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await answer();
    await up.set("camera", null);
    const other = track("video");
    await up.set("camera", other);
    await settle();
    expect(offers()).toHaveLength(1);
    expect(peers[0]?.transceivers[0]?.replaced).toEqual([null, other]);
  });

  it("keeps to the bit rates of the answer", async () => {
    const { up, peers, answer } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await answer({ 0: 900_000 });
    const encodings = peers[0]?.transceivers[0]?.parameters.encodings ?? [];
    expect(encodings.map((each) => each.maxBitrate)).toEqual([150_000, 600_000, 900_000]);
  });

  it("switches layers off that nobody has a use for, and on again", async () => {
    const { up, peers, answer } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await answer();
    const active = (): unknown[] =>
      (peers[0]?.transceivers[0]?.parameters.encodings ?? []).map((each) => each.active);
    expect(active()).toEqual([true, true, true]);
    up.layered({ type: "layers", connection: "c1", layers: { 0: ["l", "h"] } });
    await settle();
    expect(active()).toEqual([true, false, true]);
    up.layered({ type: "layers", connection: "another", layers: { 0: ["l"] } });
    await settle();
    expect(active()).toEqual([true, false, true]);
    up.layered({ type: "layers", connection: "c1", layers: { 0: ["l", "m", "h"] } });
    await settle();
    expect(active()).toEqual([true, true, true]);
  });

  it("sends one encoding where the browser knows no simulcast", async () => {
    const { up, peers } = connection();
    FakePeer.refusesLayers = true;
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    FakePeer.refusesLayers = false;
    expect(peers[0]?.transceivers[0]?.parameters.encodings).toMatchObject([{ maxBitrate: 2_500_000 }]);
  });

  it("begins at full size and may shrink a camera, but never a screen, after three seconds", async () => {
    const { up, peers, offers, answer } = connection();
    up.welcomed(false);
    void up.set("camera", track("video"));
    void up.set("screen", track("video"));
    await settle();
    const told = (): unknown[] =>
      (peers[0]?.transceivers ?? []).map(
        ({ parameters }) => (parameters as { degradationPreference?: string }).degradationPreference,
      );
    expect(offers()).toHaveLength(1);
    expect(told()).toEqual(["maintain-resolution", "maintain-resolution"]);
    await answer();
    peers[0]?.become("connected");
    await vi.advanceTimersByTimeAsync(2_900);
    expect(told()).toEqual(["maintain-resolution", "maintain-resolution"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(told()).toEqual(["balanced", "maintain-resolution"]);
  });

  it("starts anew when the browser gives it up, and tells the server", async () => {
    const { up, peers, sent, offers, answer } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await answer();
    peers[0]?.become("failed");
    await settle();
    expect(sent.map((message) => message.type)).toEqual(["offer_up", "restart_up", "offer_up"]);
    expect(peers[0]?.closed).toBe(true);
    expect(offers()[1]?.connection).toBeNull();
  });

  it("goes through a cut of the line without a word where the server kept it", async () => {
    const { up, offers, answer } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await answer();
    up.offline();
    expect(up.alive).toBe("c1");
    up.welcomed(true);
    await settle();
    expect(offers()).toHaveLength(1);
  });

  it("makes a new one after a cut where the server did not", async () => {
    const { up, peers, offers, answer } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await answer();
    up.offline();
    up.welcomed(false);
    await settle();
    expect(offers()).toHaveLength(2);
    expect(peers).toHaveLength(2);
  });

  it("offers again what could not be sent", async () => {
    const { up, offers, cut, mend } = connection();
    up.welcomed(false);
    cut();
    await up.set("camera", track("video"));
    await settle();
    mend();
    up.offline();
    up.welcomed(false);
    await settle();
    expect(offers()).toHaveLength(1);
  });

  it("does not wait for ever for an answer", async () => {
    const { up, sent } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await vi.advanceTimersByTimeAsync(5_100);
    expect(sent.map((message) => message.type)).toEqual(["offer_up", "restart_up", "offer_up"]);
  });

  it("ignores an answer to an older offer", async () => {
    const { up, peers } = connection();
    up.welcomed(false);
    await up.set("camera", track("video"));
    await settle();
    await up.answered({ type: "answer_up", offer: 99, connection: "old", sdp: "late", bitrates: {} });
    expect(peers[0]?.remote).toEqual([]);
    expect(up.id).toBeNull();
  });
});
