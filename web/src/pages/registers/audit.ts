/** The audit log: searched, read on, given out as a file. Nothing in it can be changed. */
import { registersApi } from "@/api/registers";
import { dayTime } from "@/state/clock";

import type { Register, Values } from "./register";

const query = (filters: Values): string =>
  new URLSearchParams(Object.entries(filters).filter(([, value]) => value.trim() !== "")).toString();

export const audit: Register = {
  id: "audit",
  label: "registers.audit",
  lead: "registers.auditLead",
  actions: ["read_audit"],
  columns: [["at", "registers.at"], ["actor", "registers.actor"], ["action", "registers.action"], ["thing", "registers.thing"], ["details", "registers.details"]],
  filters: [
    { name: "actor", label: "registers.actor", type: "text", optional: true },
    { name: "action", label: "registers.action", type: "text", optional: true },
    { name: "thing", label: "registers.thing", type: "text", optional: true },
  ],
  async read(_, filters, from) {
    const page = await registersApi.audit(query(from === null ? filters : { ...filters, before: from }));
    return {
      rows: page.rows.map((line) => ({
        key: String(line.number),
        cells: {
          at: dayTime(line.at),
          actor: line.actor,
          action: line.action,
          thing: line.thing,
          details: Object.entries(line.details).map(([name, value]) => `${name} ${value}`).join(" · "),
        },
      })),
      more: page.before === null ? null : String(page.before),
    };
  },
  file: (filters) => `/api/v1/audit/export.csv?${query(filters)}`,
};
