/** The library's part of the REST API, asked with the teacher's token where this tab has one. */
import { ask } from "@/api/campus";
import type {
  CatalogueChange,
  ChapterNames,
  Download,
  Edit,
  Edited,
  LibraryFacets,
  LibraryPage,
  MediaRenewal,
  NewUpload,
  Receipt,
  Replay,
  ReplayExtras,
  RetentionChange,
  RetentionView,
  SeriesChange,
  SeriesRow,
  Upload,
} from "@/protocol/messages";
import { pass } from "@/state/fragment";

const of = (lesson: string): string => `lessons/${encodeURIComponent(lesson)}`;
const get = <T>(path: string): Promise<T> => ask<T>("GET", path, undefined, pass());

export const library = {
  find: (query: URLSearchParams) => get<LibraryPage>(`library?${query.toString()}`),
  facets: () => get<LibraryFacets>("library/facets"),
  change: (change: CatalogueChange) => ask<undefined>("PATCH", "library", change, pass()),
  series: () => get<SeriesRow[]>("series"),
  createSeries: (change: SeriesChange) => ask<SeriesRow>("POST", "series", change, pass()),
  changeSeries: (series: string, change: SeriesChange) => ask<undefined>("PATCH", `series/${series}`, change, pass()),
  deleteSeries: (series: string) => ask<undefined>("DELETE", `series/${series}`, undefined, pass()),
  replay: (lesson: string) => get<Replay>(`${of(lesson)}/replay`),
  extras: (lesson: string) => get<ReplayExtras>(`${of(lesson)}/extras`),
  renewal: (lesson: string) => get<MediaRenewal>(`${of(lesson)}/renewal`),
  receipt: (lesson: string) => get<Receipt>(`${of(lesson)}/receipt`),
  watched: (lesson: string, at_s: number) => ask<undefined>("PUT", `${of(lesson)}/watched`, { at_s }, pass()),
  edit: (lesson: string, edit: Edit) => ask<Edited>("PUT", `${of(lesson)}/edit`, edit, pass()),
  undo: (lesson: string) => ask<Edited>("POST", `${of(lesson)}/edit/undo`, undefined, pass()),
  redo: (lesson: string) => ask<Edited>("POST", `${of(lesson)}/edit/redo`, undefined, pass()),
  putCaptions: (lesson: string, language: string, vtt: string) =>
    ask<undefined>("PUT", `${of(lesson)}/captions/${language}`, { vtt }, pass()),
  deleteCaptions: (lesson: string, language: string) =>
    ask<undefined>("DELETE", `${of(lesson)}/captions/${language}`, undefined, pass()),
  nameChapters: (lesson: string, names: ChapterNames) => ask<undefined>("PUT", `${of(lesson)}/chapters`, names, pass()),
  download: (lesson: string, file: string) => ask<Download>("POST", `${of(lesson)}/download`, { file }, pass()),
  askDeletion: (lesson: string) => ask<undefined>("POST", `${of(lesson)}/deletion`, undefined, pass()),
  delete: (lesson: string) => ask<undefined>("DELETE", of(lesson), undefined, pass()),
  kept: (lesson: string) => get<RetentionView>(`${of(lesson)}/retention`),
  keep: (lesson: string, change: Partial<RetentionChange>) => ask<RetentionView>("PUT", `${of(lesson)}/retention`, change, pass()),
  makeExport: (lesson: string) => ask<undefined>("POST", `${of(lesson)}/publishing/export`, undefined, pass()),
  retry: (lesson: string) => ask<undefined>("POST", `${of(lesson)}/publishing/retry`, undefined, pass()),
  startUpload: (upload: NewUpload) => ask<Upload>("POST", "uploads", upload, pass()),
  upload: (upload: string) => get<Upload>(`uploads/${upload}`),
};
