import { describe, expect, it } from "vitest";

import { longDay, longTime, zonedDay, zonedTime } from "./zoned";

describe("times of the county", () => {
  const late = Date.UTC(2026, 10, 21, 17, 3, 7);

  it("are the county's and not the screen's", () => {
    expect(zonedTime(late, "Asia/Shanghai")).toBe("01:03");
    expect(zonedTime(late, "Asia/Shanghai", true)).toBe("01:03:07");
    expect(zonedDay(late, "Asia/Shanghai")).toBe("2026-11-22");
    expect(zonedDay(late, "America/Lima")).toBe("2026-11-21");
  });

  it("are said in the page's language", () => {
    expect(longDay(late, "zh")).toContain("月");
    expect(longTime(late, "en")).toContain("November 2026");
  });
});
