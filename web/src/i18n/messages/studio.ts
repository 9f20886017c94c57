import { sentences } from "../define";

export const studio = sentences({
  title: { zh: "studio", en: "studio" },
});
