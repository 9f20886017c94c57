import { describe, expect, it } from "vitest";

import { SlotMeter } from "./meter";

describe("a slot's meter", () => {
  it("tells what happened since the last look", () => {
    const meter = new SlotMeter("stage");
    meter.read({ framesDecoded: 100, packetsReceived: 1000, packetsLost: 10, totalFreezesDuration: 1 });
    expect(
      meter.read({
        framesDecoded: 125,
        packetsReceived: 1200,
        packetsLost: 12,
        totalFreezesDuration: 1.25,
        frameHeight: 540,
        jitterBufferDelay: 2,
        jitterBufferEmittedCount: 50,
      }),
    ).toMatchObject({ slot: "stage", frames: 25, received: 200, lost: 2, freeze_ms: 250, height: 540, delay_ms: 40 });
    expect(meter.flowing).toBe(true);
  });

  it("tells the share of concealed sound", () => {
    const meter = new SlotMeter("main");
    expect(meter.read({ totalSamplesReceived: 48_000, concealedSamples: 4_800 }).concealed).toBeCloseTo(0.1);
  });

  it("never counts backwards when the browser corrects its losses", () => {
    const meter = new SlotMeter("stage");
    meter.read({ packetsLost: 9 });
    expect(meter.read({ packetsLost: 7 }).lost).toBe(0);
  });

  it("says nothing flows where the browser tells nothing", () => {
    const meter = new SlotMeter("stage");
    expect(meter.read({})).toMatchObject({ frames: 0, received: 0, concealed: 0, delay_ms: 0 });
    expect(meter.flowing).toBe(false);
  });

  it("measures loudness from the sound's energy", () => {
    const meter = new SlotMeter("called");
    meter.read({ totalAudioEnergy: 1, totalSamplesDuration: 10 });
    meter.read({ totalAudioEnergy: 1.25, totalSamplesDuration: 11 });
    expect(meter.loudness).toBeCloseTo(0.5);
  });
});
