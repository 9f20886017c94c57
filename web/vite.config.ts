import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";
import type { Plugin } from "vite";

const campus = process.env["LIANKE_CAMPUS"] ?? "http://localhost:8080";

const WORTH_PACKING = 1024;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

/** Beside each script and style sheet the same packed, which campus sends to who takes it (a point's line is thin). */
function packed(): Plugin {
  const pack = async (path: string): Promise<void> => {
    const plain = await readFile(path);
    if (plain.length < WORTH_PACKING) return;
    await writeFile(`${path}.gz`, await promisify(gzip)(plain, { level: 9 }));
    await writeFile(`${path}.br`, await promisify(brotliCompress)(plain, BROTLI));
  };
  return {
    name: "packed",
    apply: "build",
    async writeBundle({ dir }, bundle) {
      const names = Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name));
      await Promise.all(names.map((name) => pack(join(dir ?? "", name))));
    },
  };
}

// The kiosk entry runs on wall panels that stopped at Chrome 79; one target for all keeps one build.
export default defineConfig({
  plugins: [vue(), packed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: fileURLToPath(new URL("../server/api/pages", import.meta.url)),
    emptyOutDir: true,
    manifest: "manifest.json",
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
