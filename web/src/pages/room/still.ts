/** The last picture that was seen well, kept small: it stays, dimmed, while there is no other. */

const WIDTH = 640;

/** Draws what the element shows into the canvas; false where it shows nothing yet. */
export function keepStill(video: HTMLVideoElement, canvas: HTMLCanvasElement): boolean {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0 || video.readyState < 2) return false;
  const height = Math.round((WIDTH * videoHeight) / videoWidth);
  if (canvas.width !== WIDTH || canvas.height !== height) {
    canvas.width = WIDTH;
    canvas.height = height;
  }
  canvas.getContext("2d")?.drawImage(video, 0, 0, WIDTH, height);
  return true;
}
