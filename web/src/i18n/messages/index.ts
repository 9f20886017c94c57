import { call } from "./call";
import { cameras } from "./cameras";
import { common } from "./common";
import { desk } from "./desk";
import { first } from "./first";
import { guest } from "./guest";
import { kept } from "./kept";
import { library } from "./library";
import { kinds } from "./kinds";
import { live } from "./live";
import { network } from "./network";
import { notice } from "./notice";
import { people } from "./people";
import { recorded } from "./recorded";
import { registers } from "./registers";
import { rehearsal } from "./rehearsal";
import { replay } from "./replay";
import { rooms } from "./rooms";
import { room } from "./room";
import { seat } from "./seat";
import { settings } from "./settings";
import { studio } from "./studio";
import { timetable } from "./timetable";
import { watch } from "./watch";

export const messages = {
  call,
  cameras,
  common,
  desk,
  first,
  guest,
  kept,
  kinds,
  library,
  live,
  network,
  notice,
  people,
  recorded,
  registers,
  rehearsal,
  replay,
  room,
  rooms,
  seat,
  settings,
  studio,
  timetable,
  watch,
};
