/** Registers of the calendar and the catalogue: bells, swapped days, subjects and books, rooms that may be called. */
import { registersApi } from "@/api/registers";
import { timetable } from "@/api/timetable";
import { inWords, say } from "@/i18n/say";
import type { BellsValue, BellTime, CallList, SwappedDay, TermView } from "@/protocol/messages";

import { mainRooms } from "./organisation";
import { nameIn, options, world } from "./register";
import type { Register } from "./register";

const COUNTY = "county";
const ENTRIES = 1000;
const PARENTS: Record<string, string> = { edition: "subject", volume: "edition", chapter: "volume" };
let bellsRead: BellsValue | null = null;
let termsRead: TermView[] = [];

async function ring(scope: string, bells: BellTime[]): Promise<void> {
  const version = bellsRead?.own === true || scope === COUNTY ? (bellsRead?.version ?? 0) : 0;
  await registersApi.putBells(scope, { bells: bells.sort((one, other) => one.period - other.period), version, own: true });
}

export const bells: Register = {
  id: "bells",
  label: "registers.bells",
  lead: "registers.bellsLead",
  actions: ["edit_calendar"],
  columns: [["period", "registers.period"], ["begins", "registers.begins"], ["ends", "registers.ends"]],
  edits: true,
  async scopes() {
    const { units } = await world();
    const schools = options(units.filter((unit) => unit.yours), ["school", "point"]);
    return [{ value: COUNTY, label: say("registers.allSchools") }, ...schools];
  },
  async read(scope) {
    const found = await registersApi.bells(scope || COUNTY);
    bellsRead = found;
    return {
      rows: found.bells.map((bell) => {
        const cells = { period: String(bell.period), begins: bell.begins, ends: bell.ends };
        return { key: cells.period, cells, values: cells };
      }),
      fields: [
        { name: "period", label: "registers.period", type: "number" },
        { name: "begins", label: "registers.begins", type: "time" },
        { name: "ends", label: "registers.ends", type: "time" },
      ],
    };
  },
  async save(values, scope, row) {
    const fresh = { period: Number(values["period"]), begins: values["begins"] ?? "", ends: values["ends"] ?? "" };
    const others = (bellsRead?.bells ?? []).filter((bell) => String(bell.period) !== row?.key && bell.period !== fresh.period);
    await ring(scope || COUNTY, [...others, fresh]);
    return undefined;
  },
  remove: (row, scope) => ring(scope || COUNTY, (bellsRead?.bells ?? []).filter((bell) => String(bell.period) !== row.key)),
  removeLabel: "registers.remove",
};

async function swapped(scope: string, change: (swaps: SwappedDay[]) => SwappedDay[]): Promise<void> {
  const term = termsRead.find((one) => one.term === scope);
  if (term === undefined) return;
  const { name, first_monday, weeks, version } = term;
  await timetable.putTerm(scope, { name, first_monday, weeks, version, swaps: change(term.swaps) });
}

export const swaps: Register = {
  id: "swaps",
  label: "registers.swaps",
  lead: "registers.swapsLead",
  actions: ["edit_calendar"],
  columns: [["day", "registers.day"], ["runs", "registers.runs"]],
  async scopes() {
    termsRead = await timetable.terms();
    return termsRead.map((term) => ({ value: term.term, label: inWords(term.name) }));
  },
  async read(scope) {
    termsRead = await timetable.terms();
    const term = termsRead.find((one) => one.term === scope);
    return {
      rows: (term?.swaps ?? []).map((swap) => ({
        key: swap.day,
        cells: { day: swap.day, runs: swap.runs ?? say("registers.holiday") },
      })),
      fields:
        term === undefined
          ? []
          : [
              { name: "day", label: "registers.day", type: "day" },
              { name: "runs", label: "registers.runsHint", type: "day", optional: true },
            ],
    };
  },
  async save(values, scope) {
    const fresh = { day: values["day"] ?? "", runs: values["runs"] || null };
    await swapped(scope, (all) => [...all.filter((swap) => swap.day !== fresh.day), fresh].sort((a, b) => a.day.localeCompare(b.day)));
    return undefined;
  },
  remove: (row, scope) => swapped(scope, (all) => all.filter((swap) => swap.day !== row.key)),
  removeLabel: "registers.remove",
};

export const catalogue: Register = {
  id: "catalogue",
  label: "registers.catalogue",
  lead: "registers.catalogueLead",
  actions: ["edit_calendar"],
  columns: [["position", "registers.position"], ["zh", "people.nameZh"], ["en", "people.nameEn"], ["parent", "registers.parent"], ["entry", "registers.entry"]],
  edits: true,
  scopes: () =>
    Promise.resolve(
      (["subject", "grade", "edition", "volume", "chapter"] as const).map((value) => ({ value, label: say(`registers.${value}`) })),
    ),
  async read(scope, _, from) {
    const above = PARENTS[scope];
    const number = Number(from ?? "1");
    const [{ entries, total }, parents] = await Promise.all([
      registersApi.curriculum(scope || "subject", number),
      above === undefined ? Promise.resolve([]) : registersApi.curriculum(above).then((page) => page.entries),
    ]);
    const names = new Map(parents.map((one) => [one.entry, inWords(one.name)]));
    return {
      rows: entries.map((one) => {
        const values = { position: String(one.position ?? 0), zh: one.name.zh, en: one.name.en, parent: one.parent ?? "", entry: one.entry, version: String(one.version ?? 0) };
        return { key: one.entry, cells: { ...values, parent: names.get(values.parent) ?? values.parent }, values };
      }),
      more: number * ENTRIES < total ? String(number + 1) : null,
      fields: [
        { name: "zh", label: "people.nameZh", type: "text" },
        { name: "en", label: "people.nameEn", type: "text" },
        ...(above === undefined
          ? []
          : [{ name: "parent", label: "registers.parent" as const, type: "select" as const, options: parents.map((one) => ({ value: one.entry, label: inWords(one.name) })) }]),
        { name: "position", label: "registers.position", type: "number", optional: true },
      ],
    };
  },
  async save(values, scope, row) {
    const entry = row?.key ?? `${scope || "subject"}-${Date.now().toString(36)}`;
    const name = { zh: values["zh"] ?? "", en: values["en"] ?? "" };
    const position = Number(values["position"] || "0");
    await registersApi.putEntry({ entry, kind: scope || "subject", name, parent: values["parent"] ?? "", position, version: Number(row?.values?.["version"] ?? "0") });
    return undefined;
  },
  remove: (row) => registersApi.removeEntry(row.key, row.values?.["version"] ?? "0"),
  removeLabel: "registers.remove",
};

let called: CallList = { rooms: [], version: 0 };

async function call(scope: string, rooms: string[]): Promise<void> {
  called = await registersApi.putCalls(scope, { rooms, version: called.version });
}

export const calls: Register = {
  id: "calls",
  label: "registers.calls",
  lead: "registers.callsLead",
  actions: ["edit_timetable"],
  columns: [["room", "people.room"]],
  scopes: mainRooms,
  async read(scope) {
    if (scope === "") return { rows: [] };
    const [{ units }, list] = await Promise.all([world(), registersApi.calls(scope)]);
    const name = nameIn(units);
    called = list;
    const free = options(units, ["room"]).filter((one) => one.value !== scope && !list.rooms.includes(one.value));
    return {
      rows: list.rooms.map((room) => ({ key: room, cells: { room: name(room) } })),
      fields: [{ name: "room", label: "people.room", type: "select", options: free }],
    };
  },
  async save(values, scope) {
    await call(scope, [...called.rooms, values["room"] ?? ""]);
    return undefined;
  },
  remove: (row, scope) => call(scope, called.rooms.filter((room) => room !== row.key)),
  removeLabel: "registers.remove",
};
