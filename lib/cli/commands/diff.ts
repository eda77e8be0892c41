import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { type DiffRequest, diffSides } from '../../query/diff/diff-tables.ts';
import { usualKey } from '../../query/diff/key-of-table.ts';
import { momentOf, sideAt } from '../../query/diff/side.ts';
import { parseTolerance } from '../../query/diff/tolerance.ts';
import { findTable } from '../../query/find-table.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { hidingPersonal, type PersonalOption } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake, openLakeAt } from '../open-lake.ts';
import { renderDiff } from '../output/diff.ts';
import { noteMasked } from '../output/masked.ts';

export type DiffArguments = PersonalOption & {
  readonly table: string | undefined;
  /** The table of the second side; undefined: the same. */
  readonly other: string | undefined;
  /** The lake of the second side; undefined: the same. */
  readonly root: string | undefined;
  readonly from?: string;
  readonly to?: string;
  /** False: none, whatever the pipeline says. */
  readonly key?: readonly string[] | boolean;
  readonly tolerance?: readonly string[];
  readonly ignore?: readonly string[];
  readonly sample?: number;
};

const USUAL_SAMPLE = 5;

/** Compares two tables, or one at two moments. */
export async function diff(context: Context, asked: DiffArguments): Promise<number> {
  const { table: name, other, root } = asked;
  if (name === undefined) throw new InvalidInput('diff: got no table; expected a table by full name, or --pipeline');
  if (other === undefined && root === undefined && asked.from === undefined) {
    throw new InvalidInput(`diff ${name}: got one table at one moment; expected --from, another table, or --other`);
  }
  const opened = await openLakeAt(context, 'read');
  const deps = hidingPersonal(opened.deps, asked);
  const otherDeps = root === undefined ? deps : hidingPersonal((await openOther(context, root)).deps, asked);
  const tables = { from: await findTable(deps.catalog, name), to: await findTable(otherDeps.catalog, other ?? name) };
  const from = sideAt(deps, tables.from, await momentOf(deps, '--from', asked.from, [tables.from]));
  const to = sideAt(otherDeps, tables.to, await momentOf(otherDeps, '--to', asked.to, [tables.to]));
  const key = typeof asked.key === 'object' ? asked.key : null;
  const usual =
    asked.key === false || key !== null
      ? null
      : usualKey(from, to, await specIfAny(opened.deps, from.id.pipeline), asked.ignore);
  const found = await diffSides(from, to, { ...requestOf(asked), key: key ?? usual });
  await context.answer(found, () => renderDiff(found, context.layout));
  noteMasked(
    context,
    found.masked.map((column) => `${found.to.table}.${column}`),
  );
  return found.equal ? EXIT.done : EXIT.differs;
}

/** Another lake of this machine. */
async function openOther(context: Context, root: string): Promise<Pick<LocalLake, 'deps'>> {
  return openLake({ ...context, options: { ...context.options, root } }, 'read');
}

function requestOf({ tolerance = [], ignore = [], sample = USUAL_SAMPLE }: DiffArguments): Omit<DiffRequest, 'key'> {
  return { tolerances: Object.fromEntries(tolerance.map(parseTolerance)), ignore, sample };
}

/** A table outlives its pipeline. */
async function specIfAny(deps: LocalLake['deps'], pipeline: string): Promise<PipelineSpec | undefined> {
  try {
    return await deps.specs(pipeline);
  } catch (error) {
    if (error instanceof InvalidInput) return undefined;
    throw error;
  }
}
