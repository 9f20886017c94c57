/** The timetable's REST API, typed (`server/protocol/timetable.py`). */
import { ask, sendFile } from "@/api/campus";
import type {
  BookedLesson,
  ChangeBooking,
  Choices,
  FeedLink,
  Imported,
  LibraryPage,
  MyDay,
  NewBooking,
  RoomToken,
  SwapBookings,
  TemplateView,
  TermValue,
  TermView,
  UndoChange,
  WeekView,
} from "@/protocol/messages";

export type Scope = { kind: "room" | "teacher" | "school" | "all"; id: string };

function query(values: Record<string, string>): string {
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "")).toString();
}

export const timetable = {
  week: (scope: Scope, day: string) =>
    ask<WeekView>("GET", `timetable?${query({ day, ...(scope.kind === "all" ? {} : { [scope.kind]: scope.id }) })}`),
  choices: () => ask<Choices>("GET", "timetable/choices"),
  kinds: () => ask<TemplateView[]>("GET", "timetable/kinds"),
  terms: () => ask<TermView[]>("GET", "terms"),
  putTerm: (term: string, value: TermValue) => ask<TermView>("PUT", `terms/${encodeURIComponent(term)}`, value),
  book: (booking: NewBooking) => ask<BookedLesson[]>("POST", "timetable/lessons", booking),
  change: (lesson: string, change: ChangeBooking) =>
    ask<BookedLesson[]>("PATCH", `timetable/lessons/${encodeURIComponent(lesson)}`, change),
  swap: (swap: SwapBookings) => ask<BookedLesson[]>("POST", "timetable/swap", swap),
  undo: (action: UndoChange) => ask<BookedLesson[]>("POST", "timetable/undo", action),
  myDay: () => ask<MyDay>("GET", "my-day"),
  openStudio: (room: string) => ask<RoomToken>("POST", `rooms/${encodeURIComponent(room)}/studio`),
  feed: () => ask<FeedLink>("GET", "calendar-link"),
  newFeed: () => ask<FeedLink>("POST", "calendar-link"),
  replays: () => ask<LibraryPage>("GET", "library?size=6"),
};

const upload = (file: File, term: string, more: Record<string, string>): Promise<Response> =>
  sendFile(`timetable/import?${query({ term, ...more })}`, file);

/** What the file would do (`dry`), or did. */
export async function importFile(file: File, term: string, dry: boolean): Promise<Imported> {
  return (await (await upload(file, term, dry ? { dry: "1" } : {})).json()) as Imported;
}

/** The own file back with its wrong cells marked. */
export async function markedFile(file: File, term: string): Promise<Blob> {
  return await (await upload(file, term, { marked: "1" })).blob();
}
