import { sentences } from "../define";

export const room = sentences({
  title: { zh: "教室", en: "Room" },
});
