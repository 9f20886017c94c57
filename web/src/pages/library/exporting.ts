/** Many lessons as one file for a USB stick: campus streams it, the browser saves it. */
import { ask } from "@/api/campus";
import type { Download, ExportWish } from "@/protocol/messages";
import { pass } from "@/state/fragment";

export async function saveExport(wish: ExportWish): Promise<void> {
  const { url } = await ask<Download>("POST", "library/export", wish, pass());
  location.assign(url);
}
