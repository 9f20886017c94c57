import { describe, expect, it } from "vitest";

import type { FromServer, Hello, Refused, Welcome } from "./messages";
import { backOff, LATELY_MS, LONGEST_WAIT_IN_LESSON_MS, NEWER_PAGE, PING_EVERY_MS, Session, SILENCE_MS } from "./session";
import type { Alive, Effect } from "./session";

const NOW = 1_800_000_000_000;
const AHEAD_MS = 90_000; // the server's clock before ours

function session(alive: Alive = { up: null, down: null }, resume: string | null = null): Session {
  return new Session({ token: "t", language: "zh", browser: "test", alive: () => alive, resume, random: () => 0.5 });
}

function welcome(changes: Partial<Welcome> = {}): Welcome {
  return {
    type: "welcome",
    session: "s1",
    role: "teacher",
    room: "main",
    name: { zh: "主", en: "Main" },
    now: NOW + AHEAD_MS,
    resumed: false,
    keep_up: false,
    keep_down: false,
    ice_servers: [],
  seat: "",
    version: 1,
    ...changes,
  };
}

function refused(changes: Partial<Refused> = {}): Refused {
  return { type: "refused", code: "x", words: { zh: "不", en: "No" }, fatal: true, retry_after_ms: 0, ...changes };
}

function kinds(effects: Effect[]): string[] {
  return effects.map((effect) => effect.do);
}

function helloOf(effects: Effect[]): Hello {
  const first = effects[0];
  if (first?.do !== "send" || first.message.type !== "hello") throw new Error("no hello");
  return first.message;
}

function on(): Session {
  const one = session();
  one.start(NOW);
  one.opened(NOW);
  one.received(welcome(), NOW);
  return one;
}

describe("coming in", () => {
  it("says hello first and is on after the welcome", () => {
    const one = session({ up: "u", down: null });
    expect(kinds(one.start(NOW))).toEqual(["open"]);
    expect(helloOf(one.opened(NOW))).toMatchObject({ token: "t", resume: null, up: "u", down: null, takeover: false });
    const effects = one.received(welcome(), NOW + 5);
    expect(kinds(effects)).toEqual(["deliver", "send"]);
    expect(one.state).toBe("on");
  });

  it("does not send before it is on", () => {
    const one = session();
    one.start(NOW);
    expect(one.say({ type: "start" })).toEqual([]);
  });

  it("names the session of before the page was loaded again", () => {
    const one = session({ up: null, down: null }, "s0");
    one.start(NOW);
    expect(helloOf(one.opened(NOW)).resume).toBe("s0");
  });

  it("gives up a socket that does not open, and tries again", () => {
    const one = session();
    one.start(NOW);
    expect(kinds(one.tick(one.deadline() ?? 0))).toEqual(["close"]);
    expect(one.state).toBe("waiting");
  });
});

describe("keeping the line", () => {
  it("pings every two seconds while the server answers", () => {
    const one = on();
    let now = NOW;
    for (let k = 0; k < 10; k++) {
      now += PING_EVERY_MS;
      expect(one.deadline()).toBe(now);
      expect(kinds(one.tick(now))).toEqual(["send"]);
      one.received({ type: "pong", at: now, now: now + AHEAD_MS }, now + 3);
    }
    expect(one.state).toBe("on");
  });

  it("hangs up when the server says nothing for seven seconds", () => {
    const one = on();
    let now = NOW;
    let effects: Effect[] = [];
    while (one.state === "on") {
      now = one.deadline() ?? now;
      effects = one.tick(now);
    }
    expect(now - NOW).toBe(SILENCE_MS);
    expect(kinds(effects)).toEqual(["close"]);
    expect(one.state).toBe("waiting");
  });

  it("tells the server's time, however wrong this machine's clock is", () => {
    const one = on();
    one.received({ type: "pong", at: NOW + 100, now: NOW + 110 + AHEAD_MS }, NOW + 120);
    expect(one.serverTime(NOW + 500)).toBe(NOW + 500 + AHEAD_MS);
  });
});

describe("coming back", () => {
  it("waits longer each time up to eight seconds, never gives up, and comes as the same session", () => {
    const one = on();
    let now = NOW;
    for (let k = 0; k < 200; k++) {
      one.closed(now);
      const wait = (one.retryAt ?? 0) - now;
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(8_000);
      now = one.deadline() ?? now;
      expect(kinds(one.tick(now))).toEqual(["open"]);
    }
    expect(helloOf(one.opened(now)).resume).toBe("s1");
  });

  it("never waits long while a connection still brings media", () => {
    const one = session({ up: null, down: "d" });
    one.start(NOW);
    let now = NOW;
    for (let attempt = 0; attempt < 20; attempt++) {
      one.closed(now);
      expect((one.retryAt ?? 0) - now).toBeLessThanOrEqual(LONGEST_WAIT_IN_LESSON_MS);
      now = one.deadline() ?? now;
      one.tick(now);
    }
  });

  it("never waits long in the first minute without a connection", () => {
    const one = on();
    let now = NOW;
    while (now - NOW < LATELY_MS - LONGEST_WAIT_IN_LESSON_MS) {
      one.closed(now);
      expect((one.retryAt ?? 0) - now).toBeLessThanOrEqual(LONGEST_WAIT_IN_LESSON_MS);
      now = one.deadline() ?? now;
      one.tick(now);
    }
  });

  it("tries at once when the network is back", () => {
    const one = on();
    one.closed(NOW);
    expect(kinds(one.nudge(NOW + 1))).toEqual(["open"]);
    expect(one.nudge(NOW + 2)).toEqual([]);
  });

  it("spreads the rooms of a county over the second half of each wait", () => {
    expect(backOff(0, 0)).toBe(150);
    expect(backOff(0, 0.999)).toBe(300);
    expect(backOff(50, 0)).toBe(4_000);
    expect(backOff(50, 0.999)).toBeLessThanOrEqual(8_000);
  });
});

describe("being refused", () => {
  it("ends for good where the server says so", () => {
    const one = session();
    one.start(NOW);
    one.opened(NOW);
    expect(kinds(one.received(refused({ code: "other_studio" }), NOW))).toEqual(["deliver", "close"]);
    expect(one.state).toBe("refused");
    expect(one.deadline()).toBeNull();
  });

  it("comes back by itself where the server tells a time", () => {
    const one = session();
    one.start(NOW);
    one.opened(NOW);
    one.received(refused({ retry_after_ms: 4_000 }), NOW);
    expect(one.state).toBe("waiting");
    expect(one.retryAt).toBeGreaterThanOrEqual(NOW + 4_000);
  });

  it("takes the lesson over when the person says so, and says it once", () => {
    const one = session();
    one.start(NOW);
    one.opened(NOW);
    one.received(refused({ code: "other_studio" }), NOW);
    expect(kinds(one.takeOver(NOW))).toEqual(["open"]);
    expect(helloOf(one.opened(NOW)).takeover).toBe(true);
    one.received(welcome(), NOW);
    one.closed(NOW);
    one.tick(one.deadline() ?? 0);
    expect(helloOf(one.opened(NOW)).takeover).toBe(false);
  });

  it("stays out when another page took its place", () => {
    const one = on();
    one.closed(NOW, NEWER_PAGE);
    expect(one.state).toBe("refused");
    expect(one.deadline()).toBeNull();
  });

  it("passes on what cannot be, and goes on", () => {
    const one = on();
    const message: FromServer = refused({ fatal: false });
    expect(one.received(message, NOW)).toEqual([{ do: "deliver", message }]);
    expect(one.state).toBe("on");
  });
});
