/**
 * The one way to a sentence: `say("studio.start")`, `say("tile.since", { time })`.
 *
 * Small enough for the kiosk entry. The main entry puts vue-i18n behind the same door
 * (`i18n/main.ts`). A key that does not exist, or lacks a language, does not compile.
 */
import { ref } from "vue";

import type { Words } from "@/protocol/messages";

import { messages } from "./messages";

export type Language = "zh" | "en";
export type Values = Record<string, string | number>;

type Catalogue = typeof messages;
export type Key = {
  [Page in keyof Catalogue & string]: `${Page}.${keyof Catalogue[Page] & string}`;
}[keyof Catalogue & string];

const STORED = "lianke.language";

/** The language of the page, reactive. */
export const language = ref<Language>("zh");

type Engine = (key: Key, values: Values) => string;

export function isKey(key: string): key is Key {
  const [page, name] = key.split(".");
  const sentences = (messages as Record<string, Record<string, Words>>)[page ?? ""];
  return sentences !== undefined && name !== undefined && name in sentences;
}

function lookup(key: Key, values: Values): string {
  const [page, name] = key.split(".") as [string, string];
  const sentence = (messages as Record<string, Record<string, Words>>)[page]?.[name];
  if (sentence === undefined) return key;
  return sentence[language.value].replace(/\{(\w+)\}/g, (whole, value: string) => String(values[value] ?? whole));
}

let engine: Engine = lookup;

export function useEngine(other: Engine): void {
  engine = other;
}

export function say(key: Key, values: Values = {}): string {
  return engine(key, values);
}

/** A name that came from the server, in the page's language. */
export function inWords(words: Words | null | undefined): string {
  return words?.[language.value] ?? "";
}

export function setLanguage(to: Language): void {
  language.value = to;
  document.documentElement.lang = to === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem(STORED, to);
  } catch {
    // a page that may not store still speaks
  }
}

/** `lang=` of the address, else what was chosen before, else the browser's. */
export function chooseLanguage(fragment: URLSearchParams): void {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch {
    stored = null;
  }
  const wanted = fragment.get("lang") ?? stored ?? navigator.language;
  language.value = wanted.startsWith("en") ? "en" : "zh";
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  // Another page of this browser changed it: the frames of the first screen follow.
  window.addEventListener("storage", (event) => {
    if (event.key === STORED && (event.newValue === "zh" || event.newValue === "en")) setLanguage(event.newValue);
  });
}
