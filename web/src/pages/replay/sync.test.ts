import { describe, expect, it } from "vitest";

import { Coupling, Follower, RULE, ruleFor, SEEK_ONLY } from "./sync";

describe("a picture that follows the voice", () => {
  it("is left alone within 20 ms, before and behind", () => {
    const follower = new Follower();
    for (const own of [9.981, 10, 10.019]) {
      expect(follower.step(10, own, 1, 5000)).toEqual({ kind: "keep", rate: 1 });
    }
  });

  it("runs 3 % faster when a little late and 5 % slower when far ahead, times the speed chosen", () => {
    expect(new Follower().step(10, 9.9, 1, 0)).toEqual({ kind: "rate", rate: 1.03 });
    expect(new Follower().step(10, 10.3, 2, 0)).toEqual({ kind: "rate", rate: 1.9 });
  });

  it("goes on correcting until it is really there, then keeps the speed", () => {
    const follower = new Follower();
    expect(follower.step(10, 9.97, 1, 0).kind).toBe("rate");
    expect(follower.step(11, 10.985, 1, 1000).kind).toBe("rate");
    let step = follower.step(12, 12, 1, 2000);
    for (let k = 1; k < 10; k++) step = follower.step(12 + k, 12 + k, 1, 2000 + k * 100);
    expect(step).toEqual({ kind: "keep", rate: 1 });
    expect(follower.step(30, 29.985, 1, 3000)).toEqual({ kind: "keep", rate: 1 });
  });

  it("seeks from half a second on, and is not judged while it lands", () => {
    const follower = new Follower();
    const step = follower.step(20, 10, 1, 0);
    expect(step.kind).toBe("seek");
    expect(follower.step(20.1, 10, 1, 100)).toEqual({ kind: "keep", rate: 1 });
    expect(follower.step(20.7, 20.69, 1, RULE.settle_ms)).toEqual({ kind: "keep", rate: 1 });
  });

  it("learns how late its seeks land and aims further ahead the next time", () => {
    const follower = new Follower();
    const first = follower.step(20, 10, 1, 0);
    follower.step(20.7, 20.4, 1, 700);
    const second = follower.step(40, 10, 1, 2000);
    const lead = (step: ReturnType<Follower["step"]>, at: number): number =>
      step.kind === "seek" ? step.to_s - at : Number.NaN;
    expect(lead(second, 40)).toBeGreaterThan(lead(first, 20) + 0.1);
  });

  it("never seeks before the beginning", () => {
    const step = new Follower().step(0, 9, 1, 0);
    expect(step.kind === "seek" && step.to_s >= 0).toBe(true);
  });

  it("only ever seeks in Safari, which nobody else is taken for", () => {
    const webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15";
    const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36";
    expect(ruleFor(`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit}`)).toBe(SEEK_ONLY);
    expect(ruleFor(chrome)).toBe(RULE);
    expect(ruleFor("Mozilla/5.0 (Linux; Android 9) AppleWebKit/537.36 Version/4.0 Safari/537.36")).toBe(RULE);
  });

  it("only ever seeks where the browser changes rates badly", () => {
    expect(new Follower(SEEK_ONLY).step(10, 9.8, 1, 0)).toEqual({ kind: "keep", rate: 1 });
    expect(new Follower(SEEK_ONLY).step(10, 9.7, 1, 0).kind).toBe("seek");
  });

  it("comes into step from every distance, in a simulation of 25 decisions a second", () => {
    for (const start of [-3, -0.45, -0.06, 0.06, 0.2, 0.49, 0.9, 30]) {
      const follower = new Follower();
      let [voice, picture, rate] = [60, 60 - start, 1];
      for (let now = 0; now < 20_000; now += 40) {
        const step = follower.step(voice, picture, 1, now);
        if (step.kind === "seek") [picture, rate] = [step.to_s - 0.12, 1];
        else rate = step.rate;
        voice += 0.04;
        picture += 0.04 * rate;
      }
      expect(Math.abs(voice - picture), `from ${start} s`).toBeLessThanOrEqual(0.04);
    }
  });
});

describe("stalls", () => {
  const voice = (ready: boolean) => ({ name: "voice", ready, master: true });
  const camera = (ready: boolean) => ({ name: "camera", ready, master: false });

  it("of one track hold all, after a moment of grace", () => {
    const coupling = new Coupling(250, 6000);
    expect(coupling.hold([voice(true), camera(false)], 0)).toBe(false);
    expect(coupling.hold([voice(true), camera(false)], 300)).toBe(true);
    expect(coupling.hold([voice(true), camera(true)], 400)).toBe(false);
  });

  it("of a picture are given up after the patience: the sound goes on", () => {
    const coupling = new Coupling(250, 6000);
    coupling.hold([voice(true), camera(false)], 0);
    expect(coupling.hold([voice(true), camera(false)], 6000)).toBe(false);
    expect(coupling.hold([voice(true), camera(false)], 7000)).toBe(false);
    expect(coupling.left).toEqual(["camera"]);
    expect(coupling.hold([voice(true), camera(true)], 8000)).toBe(false);
    expect(coupling.left).toEqual([]);
  });

  it("of the voice are waited for as long as it takes", () => {
    const coupling = new Coupling(250, 6000);
    coupling.hold([voice(false), camera(true)], 0);
    expect(coupling.hold([voice(false), camera(true)], 60_000)).toBe(true);
  });
});
