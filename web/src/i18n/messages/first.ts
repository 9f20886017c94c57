import { sentences } from "../define";

export const first = sentences({
  title: { zh: "first", en: "first" },
});
