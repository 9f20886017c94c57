import type { Words } from "@/protocol/messages";

/** Sentences by name; each needs both languages, and `{name}` marks a value. */
export function sentences<Name extends string>(all: Record<Name, Words>): Record<Name, Words> {
  return all;
}
