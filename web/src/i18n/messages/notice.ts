import { sentences } from "../define";

/** `Notice.id` of the server. */
export const notice = sentences({
  bell_soon: { zh: "还有 2 分钟下课", en: "2 minutes to the bell" },
});
