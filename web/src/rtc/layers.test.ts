import { describe, expect, it } from "vitest";

import { encodingsOf, layersOf } from "./layers";

describe("layers", () => {
  it("are three of a 720-line camera: 180, 360, 720 lines", () => {
    const layers = layersOf("camera", 720);
    expect(layers.map(({ rid, scale, maxBitrate }) => [rid, scale, maxBitrate])).toEqual([
      ["l", 4, 150_000],
      ["m", 2, 600_000],
      ["h", 1, 2_500_000],
    ]);
  });

  it("are fewer of a small camera, and the highest is always its own size", () => {
    expect(layersOf("camera", 360).map(({ rid, scale }) => [rid, scale])).toEqual([
      ["l", 2],
      ["h", 1],
    ]);
    expect(layersOf("camera2", 200).map(({ rid }) => rid)).toEqual(["h"]);
  });

  it("never make the slides smaller, only fewer", () => {
    const encodings = encodingsOf("screen", layersOf("screen", 1080));
    expect(encodings.map((each) => [each.scaleResolutionDownBy, each.maxFramerate, each.maxBitrate])).toEqual([
      [1, 5, 500_000],
      [1, 15, 1_500_000],
    ]);
  });

  it("are no simulcast where there is one", () => {
    expect(encodingsOf("voice", layersOf("voice", undefined))).toEqual([
      { maxBitrate: 64_000, priority: "high", networkPriority: "high" },
    ]);
  });
});
