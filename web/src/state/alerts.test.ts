import { describe, expect, it } from "vitest";

import type { Seat } from "@/protocol/messages";

import { alerting, factsOf } from "./alerts";
import { quietSeat } from "./seat.fixture";

const NOW = 1_800_000_000_000;

const seat = (room: string, changes: Partial<Seat> = {}): Seat => quietSeat(room, NOW - 60_000, changes);

describe("what is told over the slides", () => {
  it("is nothing while all is well", () => {
    expect(alerting([seat("a"), seat("b", { state: "weak_line" })], null, NOW)).toEqual([]);
  });

  it("is who speaks, then hands in their order, then rooms that lost something", () => {
    const seats = [
      seat("ill", { state: "no_sound", since: NOW - 9_000 }),
      seat("late", { hand_since: NOW - 1_000 }),
      seat("early", { hand_since: NOW - 5_000 }),
      seat("speaks"),
      seat("gone", { state: "away", since: NOW - 1_000 }),
    ];
    expect(alerting(seats, "speaks", NOW).map((one) => one.room)).toEqual(["speaks", "early", "late", "gone", "ill"]);
  });

  it("is one fact for a hand and for an illness, as long as each lasts", () => {
    const both = seat("a", { state: "no_sound", hand_since: NOW - 5_000 });
    const keys = factsOf([both, seat("b")], null, NOW).map((fact) => fact.key);
    expect(keys).toEqual([`a hand ${NOW - 5_000}`, "a no_sound"]);
    expect(factsOf([both], null, NOW + 60_000).map((fact) => fact.key)).toEqual(keys);
  });
});
