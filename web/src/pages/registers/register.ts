/** What a register is: rows of one kind with a form beside them. `RegisterPage.vue` draws every one of them. */
import { county } from "@/api/county";
import type { Key } from "@/i18n/say";
import { inWords } from "@/i18n/say";
import type { County, UnitRow } from "@/protocol/messages";

export interface Option {
  value: string;
  label: string;
}

export interface Field {
  name: string;
  label: Key;
  type: "text" | "day" | "time" | "number" | "select";
  options?: Option[];
  /** What a new row begins with. */
  begins?: string;
  optional?: boolean;
}

/** `values`: what the form begins with when the row is chosen; `fixed`: the asker may not change it. */
export interface Row {
  key: string;
  cells: Record<string, string>;
  values?: Record<string, string>;
  fixed?: boolean;
}

/** `more`: where the next rows begin, null at the end; `fields`: of the form, none where nothing can be added. */
export interface Rows {
  rows: Row[];
  more?: string | null;
  fields?: Field[];
}

export type Values = Record<string, string>;

export interface Register {
  id: string;
  label: Key;
  lead: Key;
  /** Said where there are no rows, in place of the usual words. */
  nothing?: Key;
  /** Of server/api/actions.py; any of them opens it. */
  actions: string[];
  columns: [name: string, label: Key][];
  /** What is chosen above the table: a school, a term, a main room. */
  scopes?: () => Promise<Option[]>;
  filters?: Field[];
  read: (scope: string, filters: Values, from: string | null) => Promise<Rows>;
  /** A sentence to show where there is one that is told once. */
  save?: (values: Values, scope: string, row: Row | null) => Promise<string | undefined>;
  /** Rows can be changed, and not only added. */
  edits?: boolean;
  remove?: (row: Row, scope: string) => Promise<unknown>;
  removeLabel?: Key;
  file?: (filters: Values) => string;
}

/** The county as it was read for this register. */
export async function world(closed = false): Promise<County> {
  return await county.units(closed);
}

export function options(units: UnitRow[], kinds: string[]): Option[] {
  const names = new Map(units.map((unit) => [unit.unit, unit]));
  return units
    .filter((unit) => kinds.includes(unit.kind) && unit.until === null)
    .map((unit) => {
      const above = names.get(unit.parent);
      const longer = above === undefined || above.kind === "county" ? "" : `${inWords(above.name)} / `;
      return { value: unit.unit, label: longer + inWords(unit.name) };
    })
    .sort((one, other) => one.label.localeCompare(other.label));
}

export function nameIn(units: UnitRow[]): (unit: string) => string {
  const names = new Map(units.map((unit) => [unit.unit, unit.name]));
  return (unit) => inWords(names.get(unit)) || unit;
}
