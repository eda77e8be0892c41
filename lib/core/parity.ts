import { createHash } from 'node:crypto';
import { textNamed } from './implementations.ts';
import type { GoldModel, ModelSpec } from './spec.ts';
import { visibleLine } from './visible.ts';

/** Two texts of a gold model that a run compares: the one that makes the table, and another. */
export type Shadow = { readonly model: string; readonly left: string; readonly right: string };

/** Whether two texts of a model make the same rows of the same snapshots. */
export type Parity = Shadow & {
  readonly equal: boolean;
  /** Of the table; null, as every figure, where the comparison failed. */
  readonly rows: number | null;
  readonly right_rows: number | null;
  /** Keys that the table has, where the model says what is unique. */
  readonly keys: number | null;
  /** By column: the sums of both; those of personal columns are left out. */
  readonly sums: Readonly<Record<string, readonly [left: string | null, right: string | null]>>;
  /** Rows that one of the two has alone, or that have another value by their key. */
  readonly differing: number | null;
  /** Of both texts, their variables and run date, and the snapshots of all that they read. */
  readonly digest: string;
  readonly left_text: string;
  readonly right_text: string;
  /** Why they could not be compared. */
  readonly error: string | null;
};

/** An alert and the state of a run have room for some. */
const MOST_NAMED = 20;
const LONGEST_ERROR = 200;

/** Texts that do not make the rows of the table, one said of each, as far as they are named. */
export function sayUnequal(parities: readonly Parity[]): readonly string[] {
  const unequal = parities.filter(({ equal }) => !equal);
  const more = unequal.length - MOST_NAMED;
  return [...unequal.slice(0, MOST_NAMED).map(sayOne), ...(more > 0 ? [`${more} more texts are not equal`] : [])];
}

function sayOne({ model, left, right, rows, differing, error }: Parity): string {
  if (error === null) return `${right} of ${model} differs from ${left}: ${differing} of ${rows} rows`;
  return `${right} of ${model} was not compared with ${left}: ${visibleLine(error.slice(0, LONGEST_ERROR))}`;
}

/** By which a text of a model is known whatever it is called: with the engine that it is for, and what its variables are by default. */
export function textHash(model: GoldModel, name: string): string {
  const { sql, engine, vars } = textNamed(model, name) ?? { ...model, engine: undefined };
  const text = engine === undefined && vars === undefined ? sql : JSON.stringify([sql, engine ?? null, vars ?? {}]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Each model of several texts with all but its own. */
export function shadowsOf(models: readonly ModelSpec[]): readonly Shadow[] {
  return models.flatMap((model) => {
    if (model.layer !== 'gold' || model.implementations === undefined) return [];
    const { use, texts } = model.implementations;
    const others = texts.filter(({ name }) => name !== use);
    return others.map(({ name }): Shadow => ({ model: model.id, left: use, right: name }));
  });
}
