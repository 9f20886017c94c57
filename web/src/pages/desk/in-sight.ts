/** Of a row of links that is wider than the screen, the chosen one is pushed into sight, and where there is more to
 * see the row fades out: `more-before`, `more-after`. */
import { nextTick, onBeforeUnmount, watch } from "vue";
import type { Ref, WatchSource } from "vue";

export function keepInSight(row: Ref<HTMLElement | null>, chosen: string, ...changes: WatchSource[]): void {
  function hint(): void {
    const { value } = row;
    if (value === null) return;
    const left = value.scrollWidth - value.clientWidth - value.scrollLeft;
    value.classList.toggle("more-before", value.scrollLeft > 4);
    value.classList.toggle("more-after", left > 4);
  }
  watch([row, ...changes], async () => {
    await nextTick();
    const link = row.value?.querySelector<HTMLElement>(chosen);
    if (row.value && link) row.value.scrollLeft = link.offsetLeft - row.value.offsetLeft - (row.value.clientWidth - link.offsetWidth) / 2;
    row.value?.addEventListener("scroll", hint, { passive: true });
    hint();
  });
  window.addEventListener("resize", hint);
  onBeforeUnmount(() => window.removeEventListener("resize", hint));
}
