/** The desk's navigation: one line a page, shown to whom the server says they may (`Me.may`). */
import type { Key } from "@/i18n/say";

export interface Entry {
  to: string;
  label: Key;
  /** An action of server/api/actions.py; any of them opens the entry. */
  actions: string[];
  /** Where pages begin that stand under it. */
  below?: string[];
}

export const ENTRIES: Entry[] = [
  { to: "/day", label: "timetable.day", actions: ["read_day"] },
  { to: "/timetable", label: "timetable.title", actions: ["read_timetable"] },
  { to: "/lessons", label: "desk.lessons", actions: ["list_lessons"], below: ["/cameras"] },
  { to: "/library", label: "library.title", actions: ["list_library"] },
  { to: "/rehearsals", label: "rehearsal.list", actions: ["read_rehearsals"] },
  { to: "/rooms", label: "rooms.title", actions: ["manage_devices"] },
  { to: "/alarms", label: "rooms.alarms", actions: ["manage_devices"] },
  { to: "/people", label: "people.title", actions: ["read_people", "manage_units"] },
  { to: "/registers", label: "registers.title", actions: ["manage_units", "read_audit", "read_consent", "edit_calendar"] },
  { to: "/settings", label: "settings.title", actions: ["read_own"] },
];
