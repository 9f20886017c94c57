import { expect, test } from "vitest";
import { nextTick } from "vue";

import { CampusProblem } from "@/api/campus";
import { language } from "@/i18n/say";

import { refused, useAttempt } from "./attempt";

test("an attempt tells the server's words, forgets them at the next, and is busy meanwhile", async () => {
  const { problem, busy, tried } = useAttempt();
  const refused = new CampusProblem(409, "taken", { zh: "不行", en: "No" });
  let during = false;

  expect(await tried(() => Promise.reject(refused))).toBe(false);
  expect(problem.value).toBe(refused.words.zh);
  expect(await tried(() => Promise.resolve((during = busy.value)))).toBe(true);
  expect([during, busy.value, problem.value]).toEqual([true, false, ""]);
});

test("what is read again keeps its problem until it is well, and may lead elsewhere", async () => {
  const gone = new CampusProblem(404, "none", { zh: "没有", en: "None" });
  const down = new CampusProblem(0, "no_answer", { zh: "没有回应", en: "No answer" });
  const led: number[] = [];
  const { problem, refreshed } = useAttempt((refusal) => refusal.status === 404 && led.push(refusal.status) > 0);

  expect(await refreshed(() => Promise.reject(down))).toBe(false);
  let during = "";
  expect(await refreshed(() => Promise.resolve((during = problem.value)))).toBe(true);
  expect([during, problem.value]).toEqual([down.words.zh, ""]);
  expect(await refreshed(() => Promise.reject(gone))).toBe(false);
  expect([led, problem.value]).toEqual([[404], ""]);
});

test("what is no answer of the server is nobody's to hide", async () => {
  const { busy, tried } = useAttempt();
  await expect(tried(() => Promise.reject(new TypeError("ours")))).rejects.toThrow("ours");
  expect(busy.value).toBe(false);
});

test("what somebody did and was refused is brought into sight, what is read again is not", async () => {
  const { problem, tried, refreshed } = useAttempt();
  const refusal = (words: string): CampusProblem => new CampusProblem(409, "no", { zh: words, en: words });
  await tried(() => Promise.reject(refusal("taken")));
  await nextTick();
  const first = refused.value;
  expect(first.words).toBe("taken");
  await refreshed(() => Promise.reject(refusal("down")));
  await nextTick();
  expect(refused.value).toBe(first);
  await tried(() => Promise.reject(refusal("taken")));
  await nextTick();
  expect([refused.value.words, refused.value === first]).toEqual(["taken", false]);
  problem.value = "the two differ";
  await nextTick();
  expect(refused.value.words).toBe("the two differ");
});

test("a refusal follows the page's language and is not brought into sight again for that", async () => {
  const { problem, tried } = useAttempt();
  await tried(() => Promise.reject(new CampusProblem(409, "taken", { zh: "已占用", en: "Taken" })));
  await nextTick();
  const first = refused.value;
  language.value = "en";
  await nextTick();
  await nextTick();
  expect([problem.value, refused.value === first]).toEqual(["Taken", true]);
  problem.value = "the two differ";
  language.value = "zh";
  await nextTick();
  expect(problem.value).toBe("the two differ");
});
