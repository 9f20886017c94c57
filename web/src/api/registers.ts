/** Bells, catalogue, call lists, the audit log over REST. */
import { ask } from "@/api/campus";
import type { AuditPage, BellsValue, CallList, CurriculumEntry, CurriculumPage } from "@/protocol/messages";

const id = encodeURIComponent;

export const registersApi = {
  bells: (school: string) => ask<BellsValue>("GET", `bells/${id(school)}`),
  putBells: (school: string, body: BellsValue) => ask<BellsValue>("PUT", `bells/${id(school)}`, body),
  curriculum: (kind: string, page = 1) => ask<CurriculumPage>("GET", `curriculum?kind=${id(kind)}&size=1000&page=${page}`),
  putEntry: (body: CurriculumEntry) => ask<CurriculumEntry>("PUT", "curriculum", body),
  removeEntry: (entry: string, version: string) => ask<unknown>("DELETE", `curriculum/${id(entry)}?version=${id(version)}`),
  calls: (room: string) => ask<CallList>("GET", `rooms/${id(room)}/calls`),
  putCalls: (room: string, body: CallList) => ask<CallList>("PUT", `rooms/${id(room)}/calls`, body),
  audit: (query: string) => ask<AuditPage>("GET", `audit?${query}`),
};
