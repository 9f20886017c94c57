import { describe, expect, it } from "vitest";

import { actionOf, speedRound, speedStep } from "./keys";
import { beginAt, clockText, parseRemembered, parseTime } from "./position";
import { renewIn, signatureOf, signedAgain } from "@/hls/signed";

describe("signed addresses", () => {
  const url = "http://box:8080/media/1700.abc/L1/camera.m3u8";

  it("get the newest signature, in full and in path form", () => {
    expect(signedAgain(url, "1800.def")).toBe("http://box:8080/media/1800.def/L1/camera.m3u8");
    expect(signedAgain("/media/1.a/L1/camera.mp4", "2.b")).toBe("/media/2.b/L1/camera.mp4");
    expect(signatureOf(url)).toBe("1700.abc");
  });

  it("of other services and unsigned ones stay as they are", () => {
    expect(signedAgain("/api/v1/lessons", "2.b")).toBe("/api/v1/lessons");
    expect(signedAgain(url, null)).toBe(url);
    expect(signatureOf("/api/v1/me")).toBeNull();
  });

  it("are renewed well before their end, and never in a tight loop", () => {
    expect(renewIn(200_000, 0)).toBe(110_000);
    expect(renewIn(60_000, 0)).toBe(30_000);
    expect(renewIn(0, 50_000)).toBe(2_000);
  });

  it("are renewed every five minutes at the latest, whatever this machine's clock says", () => {
    expect(renewIn(1_700_000_600_000, 1_000)).toBe(300_000);
  });
});

describe("the place in the recording", () => {
  it("is read from the address in every usual form", () => {
    expect(parseTime("75")).toBe(75);
    expect(parseTime("75.5s")).toBe(75.5);
    expect(parseTime("1:15")).toBe(75);
    expect(parseTime("1:02:03")).toBe(3723);
    expect(parseTime("1h2m3s")).toBe(3723);
    for (const bad of ["", null, undefined, "abc", "-5", "1:2:3:4"]) expect(parseTime(bad)).toBeNull();
  });

  it("is told as a clock", () => {
    expect(clockText(724.9)).toBe("12:04");
    expect(clockText(3723)).toBe("1:02:03");
    expect(clockText(4.26, true)).toBe("0:04.2");
    expect(clockText(-1)).toBe("0:00");
  });

  it("comes from the address before memory, and begins anew after the end", () => {
    expect(beginAt(30, 10, 60)).toBe(30);
    expect(beginAt(null, 10, 60)).toBe(10);
    expect(beginAt(null, 59, 60)).toBe(0);
    expect(beginAt(90, null, 60)).toBeCloseTo(59.9);
  });

  it("is forgotten where the memory is damaged", () => {
    expect(parseRemembered("{")).toBeNull();
    expect(parseRemembered('{"at_s":"x"}')).toBeNull();
    expect(parseRemembered('{"at_s":3,"rate":1,"layout":"pip"}')).toMatchObject({ at_s: 3, volume: 1 });
  });
});

describe("keys", () => {
  it("do what UI.md's line of keys says, and nothing with a modifier held", () => {
    expect(actionOf(" ", false)).toEqual({ kind: "toggle" });
    expect(actionOf("J", false)).toEqual({ kind: "move", by_s: -10 });
    expect(actionOf("7", false)).toEqual({ kind: "share", of: 0.7 });
    expect(actionOf(".", false)).toEqual({ kind: "frame", by: 1 });
    expect(actionOf("f", true)).toBeNull();
    expect(actionOf("q", false)).toBeNull();
  });

  it("walk through the speeds and stop at the ends, or go round", () => {
    expect(speedStep(1, 1)).toBe(1.25);
    expect(speedStep(2, 1)).toBe(2);
    expect(speedStep(0.5, -1)).toBe(0.5);
    expect(speedRound(2)).toBe(0.5);
  });
});
