/** What a page tries with the server: whether it is still at it, and what went wrong, in words. */
import { ref } from "vue";
import type { Ref } from "vue";

import { CampusProblem } from "@/api/campus";
import { language } from "@/i18n/say";

export interface Attempt {
  /** Of the last try; "" while nothing is wrong. */
  problem: Ref<string>;
  busy: Ref<boolean>;
  /** True where it succeeded; whatever is no answer of the server is thrown on. */
  tried(work: () => Promise<unknown>): Promise<boolean>;
}

export function useAttempt(): Attempt {
  const problem = ref("");
  const busy = ref(false);
  async function tried(work: () => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    problem.value = "";
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof CampusProblem)) throw error;
      problem.value = error.words[language.value];
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { problem, busy, tried };
}
