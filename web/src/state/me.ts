/** Who this browser is, asked once for all desk pages; what it may do says which entries they have. */
import { shallowRef } from "vue";

import { campus, CampusProblem } from "@/api/campus";
import type { Me } from "@/protocol/messages";

export const me = shallowRef<Me | null>(null);

/** Ask again: after a log-in, a log-out, a new password. Null where the server does not answer. */
export async function readMe(): Promise<Me | null> {
  try {
    me.value = await campus.me();
  } catch (error) {
    if (!(error instanceof CampusProblem)) throw error;
    me.value = null;
  }
  return me.value;
}

export function may(action: string): boolean {
  return me.value?.may.includes(action) === true;
}
