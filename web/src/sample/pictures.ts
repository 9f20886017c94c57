/** What the sample cameras and the sample courseware show, drawn from the time alone. */

export type Draw = (canvas: CanvasRenderingContext2D, timeMs: number) => void;

const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

function round(canvas: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, r: number): void {
  canvas.beginPath();
  canvas.moveTo(x + r, y);
  canvas.arcTo(x + w, y, x + w, y + h, r);
  canvas.arcTo(x + w, y + h, x, y + h, r);
  canvas.arcTo(x, y + h, x, y, r);
  canvas.arcTo(x, y, x + w, y, r);
  canvas.fill();
}

function disc(canvas: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  canvas.beginPath();
  canvas.arc(x, y, radius, 0, Math.PI * 2);
  canvas.fill();
}

interface Person {
  x: number;
  foot: number;
  size: number;
  coat: string;
  hair: string;
  /** Angle of the raised arm, radians; 0 hangs down. */
  arm: number;
  nod: number;
}

function person(canvas: CanvasRenderingContext2D, { x, foot, size, coat, hair, arm, nod }: Person): void {
  const head = size * 0.16;
  const shoulder = foot - size * 0.66;
  canvas.fillStyle = coat;
  round(canvas, x - size * 0.17, shoulder, size * 0.34, size * 0.68, size * 0.12);
  canvas.save();
  canvas.translate(x + size * 0.13, shoulder + size * 0.08);
  canvas.rotate(-arm);
  round(canvas, -size * 0.05, 0, size * 0.1, size * 0.36, size * 0.05);
  canvas.fillStyle = "#e8b58f";
  disc(canvas, 0, size * 0.38, size * 0.055);
  canvas.restore();
  const face = shoulder - head * 0.95 + nod;
  canvas.fillStyle = "#eabf9a";
  disc(canvas, x, face, head);
  canvas.fillStyle = hair;
  canvas.beginPath();
  canvas.arc(x, face, head * 1.05, Math.PI * 1.02, Math.PI * 1.98);
  canvas.fill();
  canvas.fillStyle = "#40302a";
  disc(canvas, x - head * 0.38, face + head * 0.1, head * 0.09);
  disc(canvas, x + head * 0.38, face + head * 0.1, head * 0.09);
}

/** The teacher before the board, walking a little and pointing. */
export const drawTeacher: Draw = (canvas, timeMs) => {
  const { width: w, height: h } = canvas.canvas;
  const t = timeMs / 1000;
  canvas.fillStyle = "#d9d2c3";
  canvas.fillRect(0, 0, w, h);
  canvas.fillStyle = "#5b4636";
  canvas.fillRect(w * 0.05, h * 0.1, w * 0.9, h * 0.56);
  canvas.fillStyle = "#24513f";
  canvas.fillRect(w * 0.065, h * 0.125, w * 0.87, h * 0.51);
  canvas.fillStyle = "#e9f1e6";
  canvas.font = `600 ${Math.round(h * 0.09)}px ${FONT}`;
  canvas.textAlign = "left";
  canvas.fillText("My home", w * 0.11, h * 0.28);
  canvas.fillText("我的家", w * 0.11, h * 0.42);
  canvas.fillStyle = "#b6a58d";
  canvas.fillRect(0, h * 0.86, w, h * 0.14);
  const x = w * (0.66 + 0.08 * Math.sin(t * 0.5));
  person(canvas, {
    x,
    foot: h * 0.98,
    size: h * 0.72,
    coat: "#33527a",
    hair: "#2b2320",
    arm: 2.1 + 0.5 * Math.sin(t * 1.7),
    nod: h * 0.006 * Math.sin(t * 3),
  });
};

const COATS = ["#b4533c", "#3f7a6b", "#8a6bb0", "#c08a2e", "#3d6fa5", "#a34a72"];

/** Pupils at their desks; `seed` makes each room its own. */
export function drawPupils(seed: number): Draw {
  const walls = ["#dfe6e2", "#e6dfd4", "#d9e1ea", "#e6e2d2"];
  return (canvas, timeMs) => {
    const { width: w, height: h } = canvas.canvas;
    const t = timeMs / 1000;
    canvas.fillStyle = walls[seed % walls.length] ?? "#ddd";
    canvas.fillRect(0, 0, w, h);
    canvas.fillStyle = "#a7c4d8";
    canvas.fillRect(w * 0.08, h * 0.14, w * 0.2, h * 0.26);
    canvas.fillRect(w * 0.72, h * 0.14, w * 0.2, h * 0.26);
    for (let row = 0; row < 2; row++) {
      const many = 4 + row;
      for (let k = 0; k < many; k++) {
        const raised = (k + row + seed + Math.floor(t / 4)) % 5 === 0;
        person(canvas, {
          x: w * ((k + 0.5 + 0.12 * ((seed + k) % 3)) / (many + 0.3)),
          foot: h * (0.84 + row * 0.24),
          size: h * (0.42 + row * 0.1),
          coat: COATS[(k * 2 + row + seed) % COATS.length] ?? "#888",
          hair: "#2b2320",
          arm: raised ? 2.9 + 0.1 * Math.sin(t * 6) : 0.15,
          nod: h * 0.01 * Math.sin(t * 2 + k + seed),
        });
      }
      canvas.fillStyle = row === 0 ? "#b88a5a" : "#a87a4c";
      canvas.fillRect(0, h * (0.78 + row * 0.17), w, h * 0.06);
    }
  };
}

const SLIDES: readonly { title: string; under: string; lines: readonly string[]; ground: string }[] = [
  {
    title: "Unit 4 · My home",
    under: "第四单元 我的家",
    lines: ["living room 客厅", "bedroom 卧室", "kitchen 厨房"],
    ground: "#fdf8ec",
  },
  {
    title: "Where is the cat?",
    under: "小猫在哪里？",
    lines: ["It is in the kitchen. 它在厨房。", "Is it under the table? 它在桌子下面吗？", "Yes, it is. 是的。"],
    ground: "#eef6fb",
  },
  {
    title: "Listen and say",
    under: "听一听，说一说",
    lines: ["He's in the garden. 他在花园里。", "She's in the study. 她在书房里。", "Where are you? 你在哪里？"],
    ground: "#f1f8ee",
  },
];
const SLIDE_MS = 8_000;

export const drawSlides: Draw = (canvas, timeMs) => {
  const { width: w, height: h } = canvas.canvas;
  const slide = SLIDES[Math.floor(timeMs / SLIDE_MS) % SLIDES.length] ?? SLIDES[0];
  if (slide === undefined) return;
  canvas.fillStyle = slide.ground;
  canvas.fillRect(0, 0, w, h);
  canvas.textAlign = "left";
  canvas.fillStyle = "#0f766e";
  canvas.fillRect(0, h * 0.12, w * 0.018, h * 0.2);
  canvas.font = `700 ${Math.round(h * 0.1)}px ${FONT}`;
  canvas.fillText(slide.title, w * 0.06, h * 0.21);
  canvas.fillStyle = "#44505c";
  canvas.font = `400 ${Math.round(h * 0.06)}px ${FONT}`;
  canvas.fillText(slide.under, w * 0.06, h * 0.31);
  canvas.fillStyle = "#1b2027";
  canvas.font = `400 ${Math.round(h * 0.065)}px ${FONT}`;
  slide.lines.forEach((line, k) => {
    canvas.fillStyle = "#d97706";
    disc(canvas, w * 0.075, h * (0.465 + k * 0.14), h * 0.012);
    canvas.fillStyle = "#1b2027";
    canvas.fillText(line, w * 0.1, h * (0.49 + k * 0.14));
  });
  canvas.fillStyle = "#d5dbe1";
  canvas.fillRect(0, h * 0.985, w, h * 0.015);
  canvas.fillStyle = "#0f766e";
  canvas.fillRect(0, h * 0.985, (w * (timeMs % SLIDE_MS)) / SLIDE_MS, h * 0.015);
};
