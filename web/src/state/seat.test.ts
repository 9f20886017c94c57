import { describe, expect, it } from "vitest";

import type { Seat } from "@/protocol/messages";

import { clockTime, duration } from "./clock";
import { handsInOrder, meterBars, tileFace } from "./seat";
import { quietSeat } from "./seat.fixture";

const NOW = 1_800_000_000_000;

const seat = (changes: Partial<Seat> = {}): Seat => quietSeat("luoping", NOW - 60_000, changes);

describe("a tile", () => {
  it("says nothing of a time while all is well", () => {
    expect(tileFace(seat(), null, NOW)).toMatchObject({ tone: "well", word: "seat.here", since: null, sentence: null });
  });

  it("counts how long a room has had no sound, and says what to do", () => {
    const face = tileFace(seat({ state: "no_sound", detail: "sound_blocked", since: NOW - 40_000 }), null, NOW);
    expect(face.since).toEqual({ key: "seat.for", values: { duration: "0:40" } });
    expect(face.sentence).toBe("seat.detail_sound_blocked");
    expect(face.tone).toBe("harm");
  });

  it("tells the clock time since when a room is away", () => {
    const face = tileFace(seat({ state: "away" }), null, NOW);
    expect(face.since).toEqual({ key: "seat.since", values: { time: clockTime(NOW - 60_000) } });
  });

  it("is red and speaking when called, unless something is wrong there", () => {
    expect(tileFace(seat(), "luoping", NOW).word).toBe("seat.speaking");
    expect(tileFace(seat({ state: "no_sound" }), "luoping", NOW).word).toBe("seat.no_sound");
  });

  it("leaves out a detail it has no sentence for", () => {
    expect(tileFace(seat({ state: "no_sound", detail: "from_the_future" }), null, NOW).sentence).toBeNull();
  });

  it("says how long ago a room was called", () => {
    expect(tileFace(seat(), null, NOW).called.key).toBe("seat.notCalled");
    expect(tileFace(seat({ last_called: NOW - 14 * 60_000 }), null, NOW).called).toEqual({
      key: "seat.calledAgo",
      values: { n: 14 },
    });
  });
});

describe("hands", () => {
  it("stand in the order in which they were raised", () => {
    const seats = [
      seat({ room: "a", hand_since: 30 }),
      seat({ room: "b" }),
      seat({ room: "c", hand_since: 10 }),
    ];
    expect(handsInOrder(seats).map((one) => one.room)).toEqual(["c", "a"]);
  });
});

describe("figures", () => {
  it("write durations as people do", () => {
    expect([duration(7_000), duration(760_000), duration(3_723_000), duration(-5)]).toEqual([
      "0:07",
      "12:40",
      "1:02:03",
      "0:00",
    ]);
  });

  it("light no bar in silence and five at full voice", () => {
    expect([-127, -60, -55, -30, -10, 0].map(meterBars)).toEqual([0, 0, 1, 3, 5, 5]);
  });
});
