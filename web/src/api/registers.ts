/** Bells, catalogue, call lists, the audit log over REST. */
import { ask } from "@/api/campus";
import type { AuditPage, BellsValue, CallList, CurriculumEntry } from "@/protocol/messages";

const id = encodeURIComponent;

export const registersApi = {
  bells: (school: string) => ask<BellsValue>("GET", `bells/${id(school)}`),
  putBells: (school: string, body: BellsValue) => ask<BellsValue>("PUT", `bells/${id(school)}`, body),
  curriculum: (kind: string) => ask<CurriculumEntry[]>("GET", `curriculum?kind=${id(kind)}`),
  putEntry: (body: CurriculumEntry) => ask<CurriculumEntry>("PUT", "curriculum", body),
  removeEntry: (entry: string) => ask<unknown>("DELETE", `curriculum/${id(entry)}`),
  calls: (room: string) => ask<CallList>("GET", `rooms/${id(room)}/calls`),
  putCalls: (room: string, rooms: string[]) => ask<CallList>("PUT", `rooms/${id(room)}/calls`, { rooms }),
  audit: (query: string) => ask<AuditPage>("GET", `audit?${query}`),
};
