/** Element Plus' option, with the two properties that are used here: its own types of them cannot be written. */
import { ElOption } from "element-plus";
import "element-plus/es/components/option/style/css";
import type { DefineComponent } from "vue";

export const Choice = ElOption as unknown as DefineComponent<{ value: string; label: string }>;
