/** Who this screen is: the token in the address' fragment, or the one kept from an earlier start. */
import { pageAddress } from "@/state/fragment";

/** The part of Storage that is used. */
export interface Keeper {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface Address {
  token: string | null;
  /** The sample lesson: no camera, commands from the page around this one. */
  sample: boolean;
  /** 0 to 1; the sample's pages share one loudspeaker. */
  volume: number;
  parameters: URLSearchParams;
  keeper: Keeper | null;
  /** The launcher's: which device this is, and the secret that brings a wiped browser back. */
  launch: Launch | null;
}

/** What a launcher's address carries. */
export interface Launch {
  device: string;
  secret: string;
}

const TOKEN = "lianke.token.room"; // the name state/fragment gives it
const SEAT = "lianke.seat";
const LAYOUT = "lianke.room.layout";

/**
 * Query and fragment both count, the fragment first: a token there reaches no server's log. A token in
 * the address is kept, so that the bare address works next time; in the sample nothing is kept, as
 * three rooms share one browser there.
 */
export function readAddress(location: { search: string; hash: string }, keeper: Keeper | null): Address {
  const parameters = new URLSearchParams(location.search);
  const { token: given, sample, volume, fragment } = pageAddress(location.hash);
  fragment.forEach((value, name) => parameters.set(name, value));
  if (sample) return { token: given, sample, volume, parameters, keeper: null, launch: null };
  const [device, secret] = [fragment.get("device"), fragment.get("restore")];
  const launch = device && secret ? { device, secret } : null;
  if (given) keep(keeper, TOKEN, given);
  const token = given ?? (launch === null ? recall(keeper, TOKEN) : null);
  return { token, sample, volume, parameters, keeper, launch };
}

export function keepToken(keeper: Keeper | null, token: string | null): void {
  keep(keeper, TOKEN, token);
}

/** What a paired room asks campus with for some hours; known to this tab alone, for the self-test's page. */
export function keepSeat(keeper: Keeper | null, seat: string): void {
  keep(keeper, SEAT, seat);
}

export function keptSeat(keeper: Keeper | null): string | null {
  return recall(keeper, SEAT);
}

export function keepLayout(keeper: Keeper | null, layout: string): void {
  keep(keeper, LAYOUT, layout);
}

export function keptLayout(keeper: Keeper | null): string | null {
  return recall(keeper, LAYOUT);
}

function recall(keeper: Keeper | null, name: string): string | null {
  try {
    return keeper === null ? null : keeper.getItem(name);
  } catch {
    return null; // storage switched off while the page runs
  }
}

function keep(keeper: Keeper | null, name: string, value: string | null): void {
  try {
    if (value === null) keeper?.removeItem(name);
    else keeper?.setItem(name, value);
  } catch {
    return; // a full or forbidden storage: the next start asks for the code again
  }
}

/** The six digits of a code as typed: spaces and full-width digits (ＩＭＥ) are forgiven. */
export function digitsOf(typed: string): string {
  return typed
    .replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0))
    .replace(/\D/g, "")
    .slice(0, 6);
}
