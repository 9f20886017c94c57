/** What a page tries with the server: whether it is still at it, and what went wrong, in words. */
import { ref, shallowRef, watch } from "vue";
import type { Ref } from "vue";

import { CampusProblem } from "@/api/campus";
import { inWords, language } from "@/i18n/say";
import type { Words } from "@/protocol/messages";

export interface Attempt {
  /** Of the last try; "" while nothing is wrong. */
  problem: Ref<string>;
  busy: Ref<boolean>;
  /** True where it succeeded; whatever is no answer of the server is thrown on. */
  tried(work: () => Promise<unknown>): Promise<boolean>;
  /** The same for what a page reads again and again: what is wrong stays told until it is well. */
  refreshed(work: () => Promise<unknown>): Promise<boolean>;
}

/** What was refused last of what somebody did: the page brings these words into sight, wherever they stand. */
export const refused = shallowRef({ words: "" });

/** `elsewhere`: takes a refusal of what is read somewhere else (true), so that nothing is told here. */
export function useAttempt(elsewhere: (refusal: CampusProblem) => boolean = () => false): Attempt {
  const problem = ref("");
  const busy = ref(false);
  let told: Words | null = null;
  let found = ""; // by reading again, which nobody asked for, or in another language before
  watch(problem, (words) => {
    if (words !== "" && words !== found) refused.value = { words };
  });
  watch(language, (now, before) => {
    if (told !== null && problem.value === told[before]) problem.value = found = told[now];
  });
  async function refusalOf(work: () => Promise<unknown>): Promise<CampusProblem | null> {
    try {
      await work();
      return null;
    } catch (error) {
      if (!(error instanceof CampusProblem)) throw error;
      told = error.words;
      return error;
    }
  }
  async function tried(work: () => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    problem.value = found = "";
    try {
      const refusal = await refusalOf(work);
      if (refusal !== null) problem.value = inWords(refusal.words);
      return refusal === null;
    } finally {
      busy.value = false;
    }
  }
  async function refreshed(work: () => Promise<unknown>): Promise<boolean> {
    const refusal = await refusalOf(work);
    if (refusal === null) problem.value = "";
    else if (!elsewhere(refusal)) problem.value = found = inWords(refusal.words);
    return refusal === null;
  }
  return { problem, busy, tried, refreshed };
}
