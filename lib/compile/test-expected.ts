import { z } from 'zod';
import { type Expected, type GivenRow, REJECTED_COLUMNS } from '../core/model-test.ts';
import { readableColumns } from '../core/readable-columns.ts';
import type { ModelSpec, PipelineSpec } from '../core/spec.ts';
import { readRows } from './cells.ts';
import { placeIn } from './notes.ts';
import { type Field, readFields } from './shape.ts';
import type { TestContext } from './test-context.ts';
import { checkValues } from './test-given.ts';

const bool = { schema: z.boolean(), expected: 'true or false' } as const;
const EXPECT = {
  rows: { schema: z.array(z.unknown()), expected: 'a list of rows' },
  exact: bool,
  ordered: bool,
  rejected: {
    schema: z.union([z.literal('any'), z.array(z.unknown())]),
    expected: "rows, such as [{ row: 2, codes: [TYPE_ERROR] }], or 'any'",
  },
  error: { schema: z.string().min(1), expected: 'a part of the message with which the run fails' },
} as const satisfies Record<string, Field>;

/** What must be there after a run; `undefined` when it cannot be read, which is noted. */
export async function readExpected(
  value: unknown,
  at: { readonly place: string; readonly model: ModelSpec },
  context: TestContext,
): Promise<Expected | undefined> {
  const { notes, spec } = context;
  const bare = Array.isArray(value);
  const read = readFields(
    EXPECT,
    bare ? { rows: value } : value,
    at.place,
    'rows, or { rows, rejected, error }',
    notes,
  );
  if (read === undefined) return undefined;
  const { exact = false, ordered = false, error = null } = read;
  if (read.rows === undefined && read.rejected === undefined && error === null) {
    notes.add(at.place, 'nothing', 'rows, rejected or error');
  }
  if (error !== null && (read.rows ?? read.rejected) !== undefined) {
    notes.add(at.place, 'an error beside rows', 'one of the two: a run that fails publishes nothing');
  }
  const columns = readableColumns(at.model);
  const known = { names: columns.map(({ name }) => name), others: drifts(spec, at.model) };
  const place = bare ? at.place : placeIn(at.place, 'rows');
  const rows = read.rows === undefined ? null : readRows(read.rows, known, place, notes);
  const rejected = readRejected(read.rejected, placeIn(at.place, 'rejected'), context);
  if (rows === undefined || rejected === undefined) return undefined;
  if (rows !== null) await checkValues(context, columns, rows, place);
  const named = new Set((rows ?? []).flatMap((row) => [...row.keys()]));
  // No rows are expected to have no rows beside them, whatever is in these.
  const compared =
    exact || named.size === 0
      ? [...known.names, ...named]
      : [...known.names.filter((name) => named.has(name)), ...named];
  return { rows, columns: [...new Set(compared)], ordered, rejected, error };
}

function readRejected(
  value: 'any' | readonly unknown[] | undefined,
  place: string,
  { notes }: TestContext,
): readonly GivenRow[] | null | undefined {
  if (value === 'any') return null;
  return readRows(value ?? [], { names: REJECTED_COLUMNS, others: false }, place, notes);
}

/** Whether files may bring the table columns that nobody knows yet. */
export function drifts(spec: PipelineSpec, model: ModelSpec): boolean {
  if (model.layer === 'gold' || !model.selectsAll) return false;
  return spec.sources.some((source) => source.name === model.from && source.drift === 'evolve');
}
