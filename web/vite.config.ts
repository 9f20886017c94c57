import { fileURLToPath, URL } from "node:url";

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const campus = process.env["LIANKE_CAMPUS"] ?? "http://localhost:8080";

// The kiosk entry runs on wall panels that stopped at Chrome 79; one target for all keeps one build.
export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: fileURLToPath(new URL("../server/api/pages", import.meta.url)),
    emptyOutDir: true,
    target: "chrome79",
    cssTarget: "chrome79",
    assetsInlineLimit: 4096,
    rollupOptions: {
      input: {
        index: fileURLToPath(new URL("./index.html", import.meta.url)),
        watch: fileURLToPath(new URL("./watch.html", import.meta.url)),
        room: fileURLToPath(new URL("./room.html", import.meta.url)),
      },
    },
  },
  server: {
    port: 5173,
    proxy: {
      "/api": campus,
      "/media": campus,
      "/ws": { target: campus, ws: true },
    },
  },
});
