import { visibleJson } from '../../core/visible.ts';

/** One JSON document as commands print it with `--json`: indented, with a line end. Longs and decimals are already text. */
export function renderJson(document: unknown): string {
  return `${visibleJson(JSON.stringify(document, null, 2))}\n`;
}
