/** hls.js without subtitles, DRM and alternate renditions: a third smaller, and all that is played here. */
declare module "hls.js/light" {
  export * from "hls.js";
  export { default } from "hls.js";
}
