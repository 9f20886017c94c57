/** A refusal above a long form, or at the end of a long page, is brought into sight: for every form, in one place. */
import { nextTick, watch } from "vue";

import { refused } from "@/state/attempt";

function isInSight(alert: Element): boolean {
  const { top, bottom } = alert.getBoundingClientRect();
  return top >= 0 && bottom <= window.innerHeight;
}

export function keepRefusalsInSight(): void {
  watch(refused, async ({ words }) => {
    await nextTick();
    const alerts = [...document.querySelectorAll("[role=alert]")].filter((one) => one.getClientRects().length > 0 && one.textContent?.includes(words));
    if (!alerts.some(isInSight)) alerts.pop()?.scrollIntoView({ block: "center" });
  });
}
