import type { ModelSpec } from '../../core/spec.ts';

/** A place in the SQL that a user wrote, by the file's path as the pipeline names it; `column` is null where the engine showed a part of the line only. */
export type SqlPlace = { readonly file: string; readonly line: number; readonly column: number | null };

/** `LINE 3: <text>`, and below it a caret under the fault. */
const MARKED = /\nLINE (\d+): (.*)(?:\n( *)\^)?/;

/**
 * Where in a model's file an error of the engine points to. The statement that failed has SQL of ours around the user's, so that
 * the line is found by its text, and of several the one that the statement's own number is nearest to. Undefined where the error
 * says no place, or the SQL is another by now.
 */
export function findPlace(model: Pick<ModelSpec, 'sql' | 'sqlFile'>, error: string): SqlPlace | undefined {
  const [, number, text, spaces] = MARKED.exec(error) ?? [];
  if (model.sqlFile === null || number === undefined || text === undefined) return undefined;
  const shown = text.replace(/^\.\.\./, '').replace(/\.\.\.$/, '');
  const whole = shown === text;
  const lines = model.sql.split('\n');
  const fits = (line: string): boolean => (whole ? line.trimEnd() === shown.trimEnd() : line.includes(shown));
  const found = lines.flatMap((line, at) => (shown.trim() !== '' && fits(line) ? [at + 1] : []));
  const [line] = found.toSorted((a, b) => Math.abs(a - Number(number)) - Math.abs(b - Number(number)));
  if (line === undefined) return undefined;
  const head = `LINE ${number}: `.length;
  const column = whole && spaces !== undefined ? Math.max(1, spaces.length - head + 1) : null;
  return { file: model.sqlFile, line, column };
}
