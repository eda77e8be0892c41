import type { Parity, Shadow } from '../../core/parity.ts';
import type { GoldModel } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import type { Session } from '../../ports.ts';
import { type Compare, compareOpened } from './compare-rows.ts';
import { keyOfModel } from './key-of-model.ts';
import { sumsOf } from './sums.ts';

/** What a parity says of rows. */
export type Compared = Omit<Parity, keyof Shadow | 'digest' | 'left_text' | 'right_text' | 'error'>;

/** Whether the two sides that a session has are the same rows, NULLs and NaNs being equal to each other, and 0.0 to -0.0 as SQL has it. */
export async function parityOf(session: Session, model: GoldModel, columns: readonly Column[]): Promise<Compared> {
  const key = keyOfModel(model)?.map((name) => columns.findIndex((column) => column.name === name)) ?? null;
  const keys = key === null || key.includes(-1) ? null : key;
  const compared = columns.map(({ type }) => ({ type, hidden: true }));
  const answer = await compareOpened(session, { compared, keys, sample: 0 });
  const differing = differingIn(answer);
  const personal = new Set(model.personal);
  const { from, to } = answer.totals;
  const sums = columns.flatMap(({ name, type }, at) => {
    const found = personal.has(name) ? undefined : sumsOf(type, at, from, to);
    return found === undefined ? [] : [[name, [found.from, found.to]] as const];
  });
  const rows = Number(from['rows']);
  return {
    equal: differing === 0,
    rows,
    right_rows: Number(to['rows']),
    keys: keys === null ? null : keysIn(answer, rows),
    sums: Object.fromEntries(sums),
    differing,
  };
}

function differingIn({ found, twice }: Compare): number {
  const alone = numberOf(found['added']) + numberOf(found['removed']) + numberOf(found['changed']);
  return alone + numberOf(twice?.rows['added']) + numberOf(twice?.rows['removed']);
}

/** Each row has a key of its own, but for those whose keys come more than once. */
function keysIn({ twice }: Compare, rows: number): number {
  return twice === undefined ? rows : rows - numberOf(twice.keys['was']) + numberOf(twice.keys['keys_was']);
}

function numberOf(value: unknown): number {
  return value === undefined || value === null ? 0 : Number(value);
}
