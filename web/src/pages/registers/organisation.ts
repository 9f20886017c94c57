/** Registers of the county's order: bonds, posts, what changed when, consent, guests' links. */
import { campus } from "@/api/campus";
import { county } from "@/api/county";
import { inWords, isKey, say } from "@/i18n/say";
import { dayTime } from "@/state/clock";
import { zonedDay } from "@/state/zoned";

import { nameIn, options, world } from "./register";
import type { Option, Register, Row } from "./register";

const word = (key: string): string => (isKey(key) ? say(key) : key);
const words = (page: string, values: string[]): Option[] => values.map((value) => ({ value, label: word(`${page}.${value}`) }));
const today = (): string => zonedDay(Date.now());
const LEVELS = ["none", "school", "publishable"];
const PAGE = 20;
const CLASSES = 50;

export const bonds: Register = {
  id: "bonds",
  label: "registers.bonds",
  lead: "registers.bondsLead",
  actions: ["manage_units"],
  columns: [["kind", "people.kind"], ["first", "registers.first"], ["second", "registers.second"], ["since", "registers.since"]],
  async read() {
    const { units, bonds: rows } = await world();
    const name = nameIn(units);
    const schools = options(units.filter((unit) => unit.yours), ["school", "point"]);
    return {
      rows: rows.map((bond) => ({
        key: `${bond.kind} ${bond.first} ${bond.second}`,
        cells: { kind: word(`registers.${bond.kind}`), first: name(bond.first), second: name(bond.second), since: bond.since },
        values: { kind: bond.kind, first: bond.first, second: bond.second },
      })),
      fields: [
        { name: "kind", label: "people.kind", type: "select", options: words("registers", ["group", "community", "pair"]) },
        { name: "first", label: "registers.first", type: "select", options: schools },
        { name: "second", label: "registers.second", type: "select", options: schools },
        { name: "day", label: "people.from", type: "day", optional: true },
      ],
    };
  },
  async save(values) {
    await county.bind({ kind: values["kind"] ?? "", first: values["first"] ?? "", second: values["second"] ?? "", day: values["day"] || null });
    return undefined;
  },
  remove: (row) =>
    county.unbind({ kind: row.values?.["kind"] ?? "", first: row.values?.["first"] ?? "", second: row.values?.["second"] ?? "", day: today() }),
  removeLabel: "registers.end",
};

export const posts: Register = {
  id: "posts",
  label: "people.posts",
  lead: "registers.postsLead",
  actions: ["manage_people"],
  columns: [["person", "people.person"], ["login", "people.login"], ["role", "people.role"], ["unit", "registers.unit"], ["since", "registers.since"], ["until", "registers.until"]],
  filters: [{ name: "q", label: "people.search", type: "text", optional: true }],
  async read(_, filters, from) {
    const number = Number(from ?? "1");
    const [{ units }, page] = await Promise.all([world(), county.people(filters["q"] ?? "", "", number)]);
    const rows: Row[] = page.people.flatMap((person) =>
      person.posts.map((post) => ({
        key: String(post.number),
        cells: {
          person: inWords(person.name),
          login: person.login,
          role: word(`people.${post.role}`),
          unit: inWords(post.unit_name),
          since: post.since,
          until: post.until ?? "",
        },
        values: { person: person.person },
        fixed: !person.yours || (post.until !== null && post.until <= today()),
      })),
    );
    const places = options(units.filter((unit) => unit.yours), ["county", "school", "campus", "point", "room"]);
    const roles = ["teacher", "assistant", "school_admin", "researcher", "operator", "county_admin"];
    return {
      rows,
      more: number * PAGE < page.total ? String(number + 1) : null,
      fields: [
        { name: "login", label: "people.login", type: "text" },
        { name: "role", label: "people.role", type: "select", options: words("people", roles) },
        { name: "unit", label: "registers.unit", type: "select", options: places },
        { name: "since", label: "people.from", type: "day", optional: true },
      ],
    };
  },
  async save(values) {
    const login = (values["login"] ?? "").trim().toLowerCase();
    const found = (await county.people(login, "", 1)).people.find((person) => person.login === login);
    if (found === undefined) return say("people.nobody");
    await county.appoint(found.person, { role: values["role"] ?? "", unit: values["unit"] ?? "", since: values["since"] || null });
    return undefined;
  },
  remove: (row) => county.endPost(row.values?.["person"] ?? "", Number(row.key)),
  removeLabel: "registers.end",
};

export const changes: Register = {
  id: "changes",
  label: "registers.changes",
  lead: "registers.changesLead",
  actions: ["manage_units"],
  columns: [["day", "registers.day"], ["kind", "people.kind"], ["unit", "registers.unit"], ["what", "registers.what"]],
  async read() {
    const { units } = await world(true);
    const name = nameIn(units);
    const rows: Row[] = [];
    for (const unit of units) {
      const told = (day: string, what: string): number =>
        rows.push({ key: `${unit.unit} ${rows.length}`, cells: { day, kind: word(`people.${unit.kind}`), unit: inWords(unit.name), what } });
      unit.names.slice(1).forEach((line) => told(line.since, say("people.called", { day: line.since, name: inWords(line.name) })));
      unit.parents.slice(1).forEach((line) => told(line.since, say("people.under", { day: line.since, name: name(line.parent) })));
      if (unit.until !== null && unit.successor === "") told(unit.until, say("people.closedOn", { day: unit.until }));
      if (unit.until !== null && unit.successor !== "") told(unit.until, say("registers.wentInto", { name: name(unit.successor) }));
    }
    rows.sort((one, other) => (other.cells["day"] ?? "").localeCompare(one.cells["day"] ?? ""));
    return { rows };
  },
};

export const consent: Register = {
  id: "consent",
  label: "registers.consent",
  lead: "registers.consentLead",
  nothing: "registers.consentNothing",
  actions: ["read_consent"],
  columns: [["school", "people.school"], ["class", "people.class"], ["level", "people.consent"], ["at", "registers.at"], ["actor", "registers.actor"], ["note", "registers.note"]],
  edits: true,
  async read(_, __, from) {
    const number = Number(from ?? "1");
    const [{ units }, page] = await Promise.all([world(), county.consents(number)]);
    const unitOf = new Map(units.map((unit) => [unit.unit, unit]));
    return {
      more: number * CLASSES < page.total ? String(number + 1) : null,
      rows: page.rows.map((one) => ({
        key: one.unit,
        cells: {
          school: inWords(unitOf.get(unitOf.get(one.unit)?.parent ?? "")?.name),
          class: inWords(one.name),
          level: word(`registers.level_${one.level}`),
          at: one.at === null ? "–" : dayTime(one.at),
          actor: one.actor,
          note: one.note,
        },
        values: { level: one.level, note: one.note, version: String(one.version ?? 0) },
        fixed: unitOf.get(one.unit)?.yours !== true,
      })),
      fields: [
        { name: "level", label: "people.consent", type: "select", options: LEVELS.map((value) => ({ value, label: word(`registers.level_${value}`) })) },
        { name: "note", label: "registers.noteHint", type: "text", optional: true },
      ],
    };
  },
  async save(values, _, row) {
    const body = { level: values["level"] ?? "none", note: values["note"] ?? "", version: Number(row?.values?.["version"] ?? "0") };
    const { unpublished } = await county.setConsent(row?.key ?? "", body);
    return say("people.withdrawn", { count: unpublished.length });
  },
};

export const guests: Register = {
  id: "guests",
  label: "guest.link",
  lead: "guest.linkLead",
  actions: ["invite_guest"],
  columns: [["label", "guest.forWhom"], ["made", "registers.at"], ["actor", "registers.actor"], ["until", "registers.until"], ["state", "people.state"]],
  scopes: mainRooms,
  async read(scope) {
    if (scope === "") return { rows: [] };
    const links = await campus.guestLinks(null, scope);
    return {
      rows: links.map((one) => ({
        key: String(one.number),
        cells: {
          label: one.label || say("guest.nobody"),
          made: dayTime(one.made_at),
          actor: one.made_by,
          until: dayTime(one.until),
          state: say(one.good ? "registers.good" : "registers.over"),
        },
        fixed: !one.good,
      })),
      fields: [
        { name: "label", label: "guest.forWhom", type: "text", optional: true },
        { name: "hours", label: "guest.hours", type: "number", begins: "24" },
      ],
    };
  },
  async save(values, scope) {
    const made = await campus.makeGuestLink(null, scope, Number(values["hours"] ?? "24"), values["label"] ?? "");
    return say("registers.linkTold", { url: made.url });
  },
  remove: (row, scope) => campus.endGuestLink(null, scope, Number(row.key)),
  removeLabel: "guest.revoke",
};

export async function mainRooms(): Promise<Option[]> {
  const { units } = await world();
  return options(units.filter((unit) => unit.main), ["room"]);
}
