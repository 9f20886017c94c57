import { describe, expect, it } from "vitest";

import type { ReplayTrack } from "@/protocol/messages";

import { beginLayout, layoutsFor, masterOf, picturesOf, placesOf } from "./tracks";

function track(name: string, subject: string, kind = "video"): ReplayTrack {
  return { name, subject, kind, codec: "H264", room: "main", playlist: "/p", gaps: [] };
}

const screen = track("screen", "screen");
const camera = track("camera", "teacher");
const board = track("camera2", "board");
const pupils = track("room-shahe-camera", "pupils");
const voice = track("voice", "voice", "audio");

describe("the tracks of a recording", () => {
  it("follow the teacher's voice, else any sound, else a picture", () => {
    const other = track("room-shahe-voice", "pupils_voice", "audio");
    expect(masterOf([camera, other, voice])).toBe(voice);
    expect(masterOf([camera, other])).toBe(other);
    expect(masterOf([screen, camera])).toBe(screen);
    expect(masterOf([])).toBeNull();
  });

  it("show the teacher's camera before the others", () => {
    const { courseware, cameras } = picturesOf([pupils, screen, board, voice, camera]);
    expect(courseware).toBe(screen);
    expect(cameras).toEqual([camera, board, pupils]);
  });

  it("offer the layouts that make sense, the remembered one first", () => {
    const both = layoutsFor(picturesOf([screen, camera]));
    expect(both).toEqual(["inset", "side", "courseware", "teacher"]);
    expect(layoutsFor(picturesOf([camera, voice]))).toEqual(["teacher"]);
    expect(layoutsFor(picturesOf([screen]))).toEqual(["courseware"]);
    expect(beginLayout("side", both)).toBe("side");
    expect(beginLayout("side", ["teacher"])).toBe("teacher");
  });

  it("are swapped where both pictures are shown, and only there", () => {
    expect(placesOf("inset", false)).toEqual({ courseware: "whole", camera: "inset" });
    expect(placesOf("inset", true)).toEqual({ courseware: "inset", camera: "whole" });
    expect(placesOf("side", true)).toEqual({ courseware: "right", camera: "left" });
    expect(placesOf("teacher", true)).toEqual({ courseware: "hidden", camera: "whole" });
  });
});
