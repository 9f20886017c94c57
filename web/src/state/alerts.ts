/** What the teacher should know while the studio is out of sight (pure): hands, and rooms that lost something. */
import type { Seat } from "@/protocol/messages";

import { handsInOrder, tileFace } from "./seat";

/** Rooms to be shown over the slides: hands first, the longest waiting before; then what is ill, the newest first. */
export function alerting(seats: readonly Seat[], called: string | null, now: number): Seat[] {
  const hands = handsInOrder(seats);
  const ill = seats.filter((seat) => seat.hand_since === null && tileFace(seat, called, now).tone === "harm");
  const speaking = seats.filter((seat) => seat.room === called && !hands.includes(seat) && !ill.includes(seat));
  return [...speaking, ...hands, ...ill.sort((a, b) => b.since - a.since)];
}

/** One fact of one room: the same key while it lasts. */
export interface Fact {
  key: string;
  seat: Seat;
  hand: boolean;
}

export function factsOf(seats: readonly Seat[], called: string | null, now: number): Fact[] {
  const facts: Fact[] = [];
  for (const seat of seats) {
    if (seat.hand_since !== null) facts.push({ key: `${seat.room} hand ${seat.hand_since}`, seat, hand: true });
    if (tileFace(seat, called, now).tone === "harm") facts.push({ key: `${seat.room} ${seat.state}`, seat, hand: false });
  }
  return facts;
}
