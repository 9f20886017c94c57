/** vue-i18n for the main entry, behind the door `say`. */
import { watch } from "vue";
import { createI18n } from "vue-i18n";

import type { Words } from "@/protocol/messages";

import { messages } from "./messages";
import { language, useEngine } from "./say";
import type { Language } from "./say";

type Catalogue = Record<string, Record<string, string>>;

function inLanguage(wanted: Language): Catalogue {
  const catalogue: Catalogue = {};
  for (const [page, all] of Object.entries<Record<string, Words>>(messages)) {
    catalogue[page] = Object.fromEntries(Object.entries(all).map(([name, words]) => [name, words[wanted]]));
  }
  return catalogue;
}

export const i18n = createI18n<false>({
  legacy: false,
  locale: language.value,
  fallbackLocale: "zh",
  messages: { zh: inLanguage("zh"), en: inLanguage("en") },
});

export function installI18n(): void {
  useEngine((key, values) => i18n.global.t(key, values));
  watch(language, (to) => (i18n.global.locale.value = to), { immediate: true });
}
