import { EXPORTS } from './objects.ts';

/** What a table is written to beside itself, for those who read files and not tables. */
export type ExportSpec = (ObjectExport | FilesExport) & {
  /** The branch whose runs write it; left out: all runs that change the table do. */
  readonly branch?: string;
};

/** All rows as one object, put in the place of the one before. `to`: a path below the pipeline's folder of exports. */
export type ObjectExport =
  | {
      readonly kind: 'csv';
      readonly to: string;
      /** Text that a spreadsheet would take for a formula begins with an apostrophe. */
      readonly safe: boolean;
    }
  | { readonly kind: 'json'; readonly to: string; readonly layout: 'lines' | 'array' }
  | { readonly kind: 'parquet'; readonly to: string };

/** A file for each row, written once: `name` and `text` are templates. */
export type FilesExport = {
  readonly kind: 'files';
  readonly name: string;
  readonly text: string;
  /** The column that says of which period a file is; left out: of none. */
  readonly period?: string;
};

/** What became of an export: of an object as a whole, of files one by one. */
export const EXPORT_STATES = ['WRITTEN', 'CHANGED_SINCE', 'KEPT', 'REISSUED', 'REFUSED'] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

/** What a run exported of one model in one way. */
export type ExportOutcome = {
  readonly model: string;
  readonly kind: ExportSpec['kind'];
  /** The path, or the template of it. */
  readonly to: string;
  /** How often each state came about; left out where it never did. */
  readonly states: { readonly [state in ExportState]?: number };
};

export function placeOfExport(spec: ExportSpec): string {
  return spec.kind === 'files' ? spec.name : spec.to;
}

/** The path of a later version of a file: `a/b.v2.txt`. */
export function versionOf(path: string, version: number): string {
  return path.replace(/(\.[^./]*)?$/, (ending) => `.v${version}${ending}`);
}

/** The key of an exported object. */
export function exportKey(pipeline: string, path: string): string {
  return `${EXPORTS}/${pipeline}/${path}`;
}

/** Of a pipeline, what says whether it exports anything. */
export type Exporting = { readonly models: readonly { readonly exports?: readonly ExportSpec[] }[] };

export function exportsAnything({ models }: Exporting): boolean {
  return models.some((model) => (model.exports ?? []).length > 0);
}

export type TemplatePart = { readonly text: string } | { readonly column: string };

/**
 * The parts of `leave of {emp_id}`; a brace that is doubled stands for itself. Answers what is wrong, as the rest of a
 * sentence, for a text that is no template.
 */
export function parseTemplate(template: string): readonly TemplatePart[] | { readonly wrong: string } {
  const parts: TemplatePart[] = [];
  for (const found of template.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g)) {
    const [token, column] = found;
    if (column !== undefined) {
      if (column === '') return { wrong: 'names no column between { and }' };
      parts.push({ column });
    } else if (token === '{' || token === '}') {
      return { wrong: `has a single ${token} at character ${found.index + 1}` };
    } else {
      parts.push({ text: token === '{{' || token === '}}' ? token.charAt(0) : token });
    }
  }
  return parts;
}

/** The same of a template that the compiler has let through. Throws RangeError for another. */
export function partsOf(template: string): readonly TemplatePart[] {
  const parts = parseTemplate(template);
  if ('wrong' in parts) throw new RangeError(`the template ${JSON.stringify(template)} ${parts.wrong}`);
  return parts;
}

export function columnsIn(parts: readonly TemplatePart[]): readonly string[] {
  return [...new Set(parts.flatMap((part) => ('column' in part ? [part.column] : [])))];
}

/** In bytes. S3 takes keys of 1,024, of which the pipeline's folder needs some; file systems take names of 255. */
export const LONGEST_PATH = 900;
export const LONGEST_NAME = 255;

/** What keeps a text from being the path of an exported object, as the rest of a sentence; undefined for one. */
export function wrongInPath(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.startsWith('/') || /^[a-z]+:\/\//i.test(path)) return 'is no path below the folder of exports';
  if ([...path].some((one) => one < ' ' || one === '\u007f' || one === '\\'))
    return 'holds a control character or a backslash';
  if (!path.isWellFormed()) return 'holds half a surrogate pair';
  const segments = path.split('/');
  if (segments.some((one) => one === '' || one === '.' || one === '..')) return "holds an empty segment, '.' or '..'";
  if (segments.some((one) => one.startsWith('.strata-'))) return "holds a segment that begins with '.strata-'";
  if (bytesOf(path) > LONGEST_PATH || segments.some((one) => bytesOf(one) > LONGEST_NAME)) return 'is too long';
  return undefined;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** What a person has to look at, one text for each export of which that is so. */
export function exportWarnings(pipeline: string, outcomes: readonly ExportOutcome[]): readonly string[] {
  return outcomes.flatMap(({ model, to, states: { CHANGED_SINCE: changed = 0, REFUSED: refused = 0 } }) => {
    const since = `${model}: rows have changed since their files were written (${changed} of ${to}), which stay as they are`;
    const none = `${model}: rows have no file (${refused} of ${to})`;
    return [
      ...(changed === 0
        ? []
        : [`${since}. To write them under new names: strata exports reissue ${pipeline} ${model}`]),
      ...(refused === 0 ? [] : [`${none}. To see why: strata exports list ${pipeline} --state REFUSED`]),
    ];
  });
}
