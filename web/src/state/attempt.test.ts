import { expect, test } from "vitest";

import { CampusProblem } from "@/api/campus";

import { useAttempt } from "./attempt";

test("an attempt tells the server's words, forgets them at the next, and is busy meanwhile", async () => {
  const { problem, busy, tried } = useAttempt();
  const refused = new CampusProblem(409, "taken", { zh: "不行", en: "No" });
  let during = false;

  expect(await tried(() => Promise.reject(refused))).toBe(false);
  expect(problem.value).toBe(refused.words.zh);
  expect(await tried(() => Promise.resolve((during = busy.value)))).toBe(true);
  expect([during, busy.value, problem.value]).toEqual([true, false, ""]);
});

test("what is no answer of the server is nobody's to hide", async () => {
  const { busy, tried } = useAttempt();
  await expect(tried(() => Promise.reject(new TypeError("ours")))).rejects.toThrow("ours");
  expect(busy.value).toBe(false);
});
