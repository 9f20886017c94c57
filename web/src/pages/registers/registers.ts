/** All registers, in the order of the page. */
import { audit } from "./audit";
import { bells, calls, catalogue, swaps } from "./calendar";
import { bonds, changes, consent, guests, posts } from "./organisation";
import type { Register } from "./register";

export const REGISTERS: Register[] = [bonds, posts, changes, consent, guests, bells, swaps, catalogue, calls, audit];
