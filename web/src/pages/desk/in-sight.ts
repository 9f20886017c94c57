/** Of a row of links that is wider than the screen, the chosen one is pushed into sight. */
import { nextTick, watch } from "vue";
import type { Ref, WatchSource } from "vue";

export function keepInSight(row: Ref<HTMLElement | null>, chosen: string, ...changes: WatchSource[]): void {
  watch([row, ...changes], async () => {
    await nextTick();
    const link = row.value?.querySelector<HTMLElement>(chosen);
    if (row.value && link) row.value.scrollLeft = link.offsetLeft - row.value.offsetLeft - (row.value.clientWidth - link.offsetWidth) / 2;
  });
}
