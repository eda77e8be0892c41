import { z } from 'zod';
import { ENGINES, type EngineName, isEngine } from '../../core/implementation.ts';
import { oneOf } from '../../core/suggest.ts';
import { type Notes, placeIn, showValue } from '../notes.ts';
import { type Field, isRecord, readField } from '../shape.ts';

/** The texts of a model, as it declares them. */
export type TextDrafts = {
  readonly texts: readonly TextDraft[];
  /** The one that is published. */
  readonly use: string;
};

export type TextDraft = { readonly name: string; readonly file: string; readonly engine?: EngineName };

export const SQL_FILE = {
  schema: z
    .string()
    .regex(/^[^/\\].*\.sql$/s)
    .refine((path) => !path.split(/[/\\]/).includes('..')),
  expected: "the path of an .sql file inside the pipeline's folder, such as 'gold/revenue.sql'",
} as const satisfies Field;

/** One, or several by their names, which `readTexts` reads. */
export const SQL_FILES = { schema: z.unknown(), expected: SQL_FILE.expected } as const satisfies Field;

const NAME = /^[a-z][a-z0-9_]{0,39}$/;
const NAMES = 'a name of at most 40 lower case letters, digits and _, starting with a letter';

type Declared = {
  readonly sql: unknown;
  readonly use?: string | undefined;
  readonly engine?: string | undefined;
};

/**
 * What `sql`, `use` and `engine` of a gold model say: the file that it is bound by, and its texts where they are several. The first
 * text is the published one unless another is named.
 */
export function readTexts(
  { sql, use, engine }: Declared,
  place: string,
  notes: Notes,
): { readonly sqlFile: string | null; readonly texts: TextDrafts | undefined } {
  const at = placeIn(place, 'sql');
  if (!isRecord(sql)) {
    const file = readField(SQL_FILE, sql, at, notes) ?? null;
    if (file !== null) noteChoice({ use, engine }, place, notes);
    return { sqlFile: file, texts: undefined };
  }
  const texts = Object.entries(sql).flatMap(([name, value]) => readText(name, value, placeIn(at, name), notes) ?? []);
  const bound = texts.find((text) => text.engine === undefined);
  if (Object.keys(sql).length === texts.length && bound === undefined) {
    const got = texts.length === 0 ? 'no text' : `texts of ${texts.map(({ name }) => name).join(' and ')} alone`;
    notes.add(
      at,
      got,
      "a text for DuckDB, such as { duckdb: 'gold/x.sql' }: it says what the model reads, and its columns",
    );
  }
  const named = chosen({ use, engine }, texts, place, notes);
  const published = texts.find(({ name }) => name === named) ?? texts[0];
  if (published === undefined || bound === undefined) return { sqlFile: null, texts: undefined };
  const sqlFile = published.engine === undefined ? published.file : bound.file;
  return { sqlFile, texts: { texts, use: published.name } };
}

function readText(name: string, value: unknown, place: string, notes: Notes): TextDraft | undefined {
  if (!NAME.test(name)) notes.add(place, `the name ${showValue(name)}`, NAMES);
  const file = readField(SQL_FILE, value, place, notes);
  if (file === undefined || !NAME.test(name)) return undefined;
  return { name, file, ...(isEngine(name) ? { engine: name } : {}) };
}

type Choice = { readonly use: string | undefined; readonly engine: string | undefined };

function chosen({ use, engine }: Choice, texts: readonly TextDraft[], place: string, notes: Notes): string | undefined {
  const names = texts.map(({ name }) => name);
  if (use !== undefined && engine !== undefined && use !== engine) {
    notes.add(placeIn(place, 'engine'), `${showValue(engine)} beside use: ${showValue(use)}`, 'one of the two');
  }
  if (engine !== undefined && !isEngine(engine)) {
    notes.add(
      placeIn(place, 'engine'),
      showValue(engine),
      `${ENGINES.map((one) => `'${one}'`).join(' or ')}; other texts are named by use`,
    );
    return undefined;
  }
  const named = use ?? engine;
  const at = placeIn(place, use === undefined ? 'engine' : 'use');
  if (named !== undefined && names.length > 0 && !names.includes(named)) {
    notes.add(at, showValue(named), `a text of sql: ${oneOf(named, names)}`);
  }
  return named;
}

/** One text alone leaves nothing to choose. */
function noteChoice(choice: Choice, place: string, notes: Notes): void {
  for (const key of ['use', 'engine'] as const) {
    if (choice[key] === undefined) continue;
    notes.add(
      placeIn(place, key),
      `${showValue(choice[key])} with one text`,
      "texts by name: sql: { current: 'gold/x.sql', ... }",
    );
  }
}
