/** Rehearsals with acting rooms over REST (`server/protocol/rehearsing.py`). */
import { ask } from "@/api/campus";
import type { NewRehearsal, Rehearsals, RoomToken } from "@/protocol/messages";

export const rehearsal = {
  list: () => ask<Rehearsals>("GET", "rehearsals"),
  open: (body: NewRehearsal) => ask<RoomToken>("POST", "rehearsals", body),
};
