/** The walk through the sample lesson (pure): which step is done, which is next, with what figures. */
import type { Fact } from "@/sample/frames";

export type Step = "start" | "unplug" | "call" | "end" | "replay";
export const STEPS: readonly Step[] = ["start", "unplug", "call", "end", "replay"];

/** What is known of one room's frame. */
export interface RoomFacts {
  joinedS: number | null;
  delayMs: number | null;
  cutS: number | null;
  unplugged: boolean;
  hand: boolean;
}

export interface Walk {
  lesson: string;
  called: string | null;
  done: ReadonlySet<Step>;
  replayUrl: string | null;
  replayAfterMs: number | null;
  rooms: Readonly<Record<string, RoomFacts>>;
}

const NOTHING: RoomFacts = { joinedS: null, delayMs: null, cutS: null, unplugged: false, hand: false };

export function freshWalk(rooms: readonly string[]): Walk {
  return {
    lesson: "none",
    called: null,
    done: new Set(),
    replayUrl: null,
    replayAfterMs: null,
    rooms: Object.fromEntries(rooms.map((room) => [room, NOTHING])),
  };
}

/** A fact from the frame of `room`, or from the studio's frame (null). */
export function heardFact(walk: Walk, room: string | null, fact: Fact): Walk {
  if (fact.kind === "lesson") return room === null ? lessonFact(walk, fact) : walk;
  const known = room === null ? undefined : walk.rooms[room];
  if (room === null || known === undefined) return walk;
  const next = roomFact(known, fact);
  const done = next.cutS !== null && known.cutS === null ? withStep(walk.done, "unplug") : walk.done;
  return { ...walk, done, rooms: { ...walk.rooms, [room]: next } };
}

function roomFact(known: RoomFacts, fact: Exclude<Fact, { kind: "lesson" }>): RoomFacts {
  switch (fact.kind) {
    case "joined":
      return { ...known, joinedS: known.joinedS ?? fact.seconds };
    case "delay":
      return { ...known, delayMs: fact.ms };
    case "cut":
      return { ...known, cutS: fact.seconds };
    case "unplugged":
      return { ...known, unplugged: fact.on };
    case "hand":
      return { ...known, hand: fact.up };
  }
}

function lessonFact(walk: Walk, fact: Extract<Fact, { kind: "lesson" }>): Walk {
  const onAir = fact.state === "live" || fact.state === "closing";
  const again = onAir && walk.done.has("end");
  const base = again ? freshWalk(Object.keys(walk.rooms)) : walk;
  let done = base.done;
  if (onAir) done = withStep(done, "start");
  if (fact.called !== null) done = withStep(done, "call");
  if (fact.state === "ended" && (base.lesson !== "none" || base.done.has("start"))) done = withStep(done, "end");
  return {
    ...base,
    done,
    lesson: fact.state,
    called: fact.called,
    replayUrl: fact.replayUrl,
    replayAfterMs: fact.replayAfterMs,
  };
}

function withStep(done: ReadonlySet<Step>, step: Step): ReadonlySet<Step> {
  return done.has(step) ? done : new Set([...done, step]);
}

/** The step to do now: the first that is not done; after End the replay, whatever was skipped. */
export function stepNow(walk: Walk): Step {
  if (walk.done.has("end")) return "replay";
  return STEPS.find((step) => !walk.done.has(step)) ?? "replay";
}

/** Median of what the rooms measured, or null. */
export function medianOf(walk: Walk, figure: "joinedS" | "delayMs" | "cutS"): number | null {
  const known = Object.values(walk.rooms)
    .map((room) => room[figure])
    .filter((value): value is number => value !== null)
    .sort((a, b) => a - b);
  return known[known.length >> 1] ?? null;
}
