/** What of the library is shown, as it stands in the address. Pure. */

export const SORTS = ["newest", "oldest", "title", "longest", "watched"] as const;
export const FACETS = ["subject", "grade", "teacher", "school"] as const;
export const STATES = ["ready", "working", "failed"] as const;
export const PAGE_SIZE = 24;

export type Facet = (typeof FACETS)[number];

export interface LibraryQuery {
  q: string;
  facets: Record<Facet, string[]>;
  series: string;
  state: string;
  from: string;
  to: string;
  sort: string;
  page: number;
}

type Address = Record<string, unknown>;

function words(value: unknown): string[] {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((one): one is string => typeof one === "string" && one !== "");
}

const first = (value: unknown): string => words(value)[0] ?? "";

/** The query of an address; what it does not say is not filtered. */
export function readQuery(address: Address): LibraryQuery {
  const page = Number(first(address["page"]) || "1");
  const series = first(address["series"]);
  return {
    q: first(address["q"]),
    facets: {
      subject: words(address["subject"]),
      grade: words(address["grade"]),
      teacher: words(address["teacher"]),
      school: words(address["school"]),
    },
    series,
    state: first(address["state"]),
    from: first(address["from"]),
    to: first(address["to"]),
    sort: first(address["sort"]) || (series === "" ? "newest" : "series"),
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

/** As it stands in the address: nothing that goes without saying. */
export function addressOf(query: LibraryQuery): Record<string, string | string[]> {
  const said: Record<string, string | string[]> = {};
  if (query.q !== "") said["q"] = query.q;
  for (const facet of FACETS) if (query.facets[facet].length > 0) said[facet] = query.facets[facet];
  for (const name of ["series", "state", "from", "to"] as const) if (query[name] !== "") said[name] = query[name];
  if (query.sort !== (query.series === "" ? "newest" : "series")) said["sort"] = query.sort;
  if (query.page > 1) said["page"] = String(query.page);
  return said;
}

/** As campus is asked. */
export function parametersOf(query: LibraryQuery): URLSearchParams {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(addressOf(query))) {
    for (const word of Array.isArray(value) ? value : [value]) asked.append(name, word);
  }
  asked.set("sort", query.sort);
  asked.set("size", String(PAGE_SIZE));
  return asked;
}

export function isFiltered(query: LibraryQuery): boolean {
  const { facets, series, state, from, to } = query;
  return FACETS.some((facet) => facets[facet].length > 0) || [series, state, from, to].some((word) => word !== "");
}

/** A list with one lesson a place earlier (-1) or later (1). */
export function moved(lessons: readonly string[], lesson: string, by: -1 | 1): string[] {
  const at = lessons.indexOf(lesson);
  const to = at + by;
  if (at < 0 || to < 0 || to >= lessons.length) return [...lessons];
  const order = lessons.filter((one) => one !== lesson);
  order.splice(to, 0, lesson);
  return order;
}
