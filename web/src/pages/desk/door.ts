/** What a desk page reads: who may not see it is told that it does not exist, and comes to the log-in; back from
 * there where that may help. */
import { useRoute, useRouter } from "vue-router";

import { useAttempt } from "@/state/attempt";
import type { Attempt } from "@/state/attempt";
import { me } from "@/state/me";

export function useDoor(): Attempt {
  const route = useRoute();
  const router = useRouter();
  return useAttempt(({ status }) => {
    if (status !== 401 && status !== 404) return false;
    const known = (me.value?.person ?? "") !== "";
    void router.replace({ path: "/login", query: known ? {} : { next: route.fullPath } });
    return true;
  });
}
