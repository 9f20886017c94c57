import { describe, expect, it } from "vitest";

import type { AnswerDown, OfferDown, WantDown } from "@/protocol/messages";

import { DownConnection } from "./down";

const OFFER: OfferDown = { type: "offer_down", connection: "c1", offer: 1, sdp: "offer", slots: [] };

/** A browser whose local description is never taken in. */
function browser() {
  const sent: (AnswerDown | WantDown)[] = [];
  let made = 0;
  const create = (): RTCPeerConnection => {
    made++;
    return {
      connectionState: "new",
      setRemoteDescription: () => Promise.resolve(),
      createAnswer: () => Promise.resolve({ type: "answer", sdp: "answer" }),
      setLocalDescription: () => new Promise(() => undefined),
      getTransceivers: () => [],
      close: () => undefined,
    } as unknown as RTCPeerConnection;
  };
  const down = new DownConnection({
    create,
    send: (message) => sent.push(message) > 0,
    onSlots: () => undefined,
    onState: () => undefined,
  });
  return { down, sent, made: () => made };
}

describe("the down connection", () => {
  it("answers before the browser has taken its own answer in", async () => {
    const { down, sent } = browser();
    down.welcomed(false);
    void down.offered(OFFER);
    await new Promise((done) => setTimeout(done));
    expect(sent).toEqual([{ type: "answer_down", connection: "c1", offer: 1, sdp: "answer" }]);
  });

  it("uses the object that was made ahead, once", async () => {
    const { down, made } = browser();
    down.prepare();
    down.prepare();
    down.welcomed(false);
    void down.offered(OFFER);
    await new Promise((done) => setTimeout(done));
    expect(made()).toBe(1);
  });
});
