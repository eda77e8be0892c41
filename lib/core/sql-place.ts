import type { ModelSpec } from './spec.ts';

/** A place in the SQL that a user wrote, by the file's path as the pipeline names it; `column` is null where the engine does not say it. */
export type SqlPlace = { readonly file: string; readonly line: number; readonly column: number | null };

/** `LINE 3: <text>`, and below it a caret under the fault; it ends a message. */
const MARKED = /\n(LINE (\d+): )([^\n]*)(?:\n( *)\^)?\s*$/;

/** How DuckDB says that it shows a part of a line. */
const CUT = '...';

/** Characters of a user's line that are shown. */
const SHOWN = 120;

/** An error of the engine: the statement's name, and its kind and words. */
const SAID = /^(.*?): ((?:\w+ )*\w+ Error: .*)$/s;

/** Kinds of errors that are of the machine, whatever the SQL says. */
const OF_MACHINE = /^(?:IO|HTTP|Permission|Out of Memory|INTERRUPT|FATAL|INTERNAL|Invalid|Missing Extension) Error: /;

/** Where in a model's file an error of the engine points to. Undefined where it says no place, or the SQL is another by now. */
export function findPlace(model: Pick<ModelSpec, 'sql' | 'sqlFile'>, error: string): SqlPlace | undefined {
  if (model.sqlFile === null) return undefined;
  const found = placeInSql(model.sql, error);
  return found && { file: model.sqlFile, ...found };
}

/**
 * Line and column of SQL that an error of the engine points to. The statement that failed may have SQL of ours around it, on the
 * same lines: what the engine shows is laid over each line, the caret's character on each like it, and fits where nothing but what
 * is before the SQL or behind it differs. Of several fits it is the one that the statement's own number is nearest to.
 */
export function placeInSql(sql: string, error: string): Omit<SqlPlace, 'file'> | undefined {
  const [, head = '', number, text = '', spaces] = MARKED.exec(error) ?? [];
  if (number === undefined) return undefined;
  const lines = sql.split('\n').map((line) => line.replace(/\r$/, ''));
  const shown = shownOf(text, spaces === undefined ? undefined : spaces.length - head.length);
  const found = lines.flatMap((line, at) => {
    const outer = { first: at === 0, last: at === lines.length - 1 };
    return columnsIn(line, shown, outer).map((column) => ({ line: at + 1, column }));
  });
  const far = ({ line }: { readonly line: number }): number => Math.abs(line - Number(number));
  const [best, ...others] = found.toSorted((a, b) => far(a) - far(b));
  // Twice the same text in a line: either may be meant.
  return best !== undefined && others.some(({ line }) => line === best.line) ? { ...best, column: null } : best;
}

/**
 * What the engine says of a model's SQL, with its file and, where that is known, line and column; the line that it shows is the
 * user's own. Other errors as they are.
 */
export function sayPlace(pipeline: string, model: Pick<ModelSpec, 'layer' | 'sql' | 'sqlFile'>, error: string): string {
  const [, name, words] = SAID.exec(error) ?? [];
  if (name === undefined || words === undefined || model.sqlFile === null) return error;
  const file = fileInProject(pipeline, model.sqlFile);
  const place = placeInSql(model.sql, words);
  if (place === undefined) {
    // What silver does to rows is SQL of ours as well.
    const ofText = model.layer === 'gold' && !OF_MACHINE.test(words);
    return ofText ? `${name} (${file}): ${words}` : error;
  }
  const where = [file, place.line, ...(place.column === null ? [] : [place.column])].join(':');
  return `${name} (${where}): ${words.replace(MARKED, '')}\n${showLine(model.sql, place)}`;
}

/** A pipeline's file as its project has it. */
export function fileInProject(pipeline: string, file: string): string {
  return `pipelines/${pipeline}/${file}`;
}

function showLine(sql: string, { line, column }: Omit<SqlPlace, 'file'>): string {
  const text = (sql.split('\n')[line - 1] ?? '').replace(/\r$/, '');
  const from = column === null || text.length <= SHOWN ? 0 : Math.max(0, column - SHOWN / 2);
  const part = text.slice(from, from + SHOWN);
  const [before, behind] = [from > 0 ? CUT : '', from + SHOWN < text.length ? CUT : ''];
  const head = `LINE ${line}: `;
  const shown = `${head}${before}${part}${behind}`;
  if (column === null) return shown;
  return `${shown}\n${' '.repeat(head.length + before.length + widthOf(text.slice(from, column - 1)))}^`;
}

type Shown = {
  readonly text: string;
  /** Where its caret is; undefined without one. */
  readonly caret: number | undefined;
  /** Whether the line goes on before it, and behind it. */
  readonly cutBefore: boolean;
  readonly cutBehind: boolean;
};

function shownOf(line: string, caret: number | undefined): Shown {
  const text = line.replace(/\r$/, '');
  const cutBefore = text.startsWith(CUT);
  const cutBehind = text.endsWith(CUT);
  const from = cutBefore ? CUT.length : 0;
  return {
    text: text.slice(from, cutBehind ? -CUT.length : undefined),
    caret: caret === undefined || caret < from ? undefined : indexAt(text.slice(from), caret - from),
    cutBefore,
    cutBehind,
  };
}

/** The columns of a line on which the caret of what is shown may be. Without a caret: null where the line has what is shown. */
function columnsIn(
  line: string,
  { text, caret, cutBefore, cutBehind }: Shown,
  outer: { readonly first: boolean; readonly last: boolean },
): readonly (number | null)[] {
  if (text.trim() === '') return [];
  if (caret === undefined) {
    const fits = cutBefore || cutBehind ? line.includes(text) : line.trimEnd() === text.trimEnd();
    return fits ? [null] : [];
  }
  const columns: number[] = [];
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] !== text[caret]) continue;
    const before = sameBefore(line, at, text, caret);
    const behind = sameBehind(line, at, text, caret);
    const [lineBegins, shownBegins] = [before === at, before === caret];
    const [lineEnds, shownEnds] = [at + behind === line.length, caret + behind === text.length];
    const left = lineBegins ? shownBegins || outer.first : shownBegins && cutBefore;
    const right = lineEnds ? shownEnds || outer.last : shownEnds && cutBehind;
    if (left && right) columns.push(at + 1);
  }
  return columns;
}

function sameBefore(line: string, at: number, text: string, caret: number): number {
  let same = 0;
  while (same < at && same < caret && line[at - same - 1] === text[caret - same - 1]) same += 1;
  return same;
}

function sameBehind(line: string, at: number, text: string, caret: number): number {
  let same = 0;
  while (at + same < line.length && caret + same < text.length && line[at + same] === text[caret + same]) same += 1;
  return same;
}

/** The engine sets its caret by what characters take on a screen: some take two places, and a tab none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (character === '\t' ? 0 : WIDE.test(character) ? 2 : 1), 0);
}

/** The index of the character at a place on the screen. */
function indexAt(text: string, place: number): number {
  let [index, width] = [0, 0];
  for (const character of text) {
    if (width >= place && character !== '\t') break;
    width += widthOf(character);
    index += character.length;
  }
  return index;
}
