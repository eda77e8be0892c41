import { cellText } from '../core/cell-text.ts';
import { isKeyed, LOG_SUFFIX } from '../core/keyed.ts';
import type { Given, GivenFile, GivenRow, TestRun } from '../core/model-test.ts';
import { needsOf } from '../core/needs.ts';
import { readableColumns, readableLogColumns } from '../core/readable-columns.ts';
import { namesInFiles } from '../core/renames.ts';
import { type ModelSpec, modelId, type PipelineSpec, type SourceSpec } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import { type Column, renderColumnType } from '../core/types.ts';
import { findMisfits } from '../sql/given-rows.ts';
import { readRows } from './cells.ts';
import { placeIn, showValue } from './notes.ts';
import { isRecord } from './shape.ts';
import type { TestContext } from './test-context.ts';

type GivenPlace = {
  readonly place: string;
  readonly model: ModelSpec;
  /** What the files of a source are called that have no name of their own, without their ending. */
  readonly files: string;
};

/** What there is before a run; `undefined` when something is wrong with it, which is noted. */
export async function readGiven(
  value: unknown,
  { place, model, files }: GivenPlace,
  context: TestContext,
): Promise<readonly Given[] | undefined> {
  const { notes, spec } = context;
  if (!isRecord(value)) {
    notes.add(place, showValue(value), `rows by source or table, such as { ${spec.sources[0]?.name}: [{ ... }] }`);
    return undefined;
  }
  const before = notes.found.length;
  const given: Given[] = [];
  for (const [name, rows] of Object.entries(value)) {
    const at = placeIn(place, name);
    const source = spec.sources.find((one) => one.name === name);
    if (source?.seed !== undefined) {
      notes.add(at, 'a seed', `no more than the pipeline has: it is ${source.seed.path}; or silver.${name}, its table`);
    } else if (source !== undefined) {
      given.push({ kind: 'source', source: name, files: readFiles(rows, source, { place: at, files }, context) });
    } else {
      const table = await readTable(name, rows, { place: at, model }, context);
      if (table !== undefined) given.push(table);
    }
  }
  return notes.found.length === before ? given : undefined;
}

function readFiles(
  value: unknown,
  source: SourceSpec,
  { place, files }: Pick<GivenPlace, 'place' | 'files'>,
  { notes }: TestContext,
): readonly GivenFile[] {
  const columns = { names: source.columns.flatMap(namesInFiles), others: source.drift !== 'fail' };
  const read = (rows: unknown, name: string, at: string): readonly GivenFile[] => {
    if (typeof rows !== 'string') return [{ kind: 'rows', name, rows: readRows(rows, columns, at, notes) ?? [] }];
    if (source.format.kind !== 'parquet') return [{ kind: 'text', name, text: rows }];
    notes.add(at, 'text', 'a list of rows: Parquet is no text');
    return [];
  };
  if (Array.isArray(value) && value.length === 0) return [];
  if (!isRecord(value)) return read(value, `${files}.${ENDINGS[source.format.kind]}`, place);
  return Object.entries(value).flatMap(([name, rows]) => {
    const at = placeIn(place, name);
    if (/^[^/\\]+$/.test(name) && !name.startsWith('.')) return read(rows, name, at);
    notes.add(at, showValue(name), 'the name of a file');
    return [];
  });
}

const ENDINGS = { csv: 'csv', json: 'json', parquet: 'parquet' } as const;

async function readTable(
  name: string,
  value: unknown,
  { place, model }: Pick<GivenPlace, 'place' | 'model'>,
  context: TestContext,
): Promise<Given | undefined> {
  const { notes, spec } = context;
  const other = spec.others?.find((one) => modelId(one) === name);
  if (other !== undefined) {
    const { columns, ...ref } = other;
    const rows = await readTyped(value, columns, place, context);
    return rows && { kind: 'table', table: ref, log: false, rows };
  }
  const log = name.endsWith(LOG_SUFFIX);
  const id = log ? name.slice(0, -LOG_SUFFIX.length) : name;
  const found = spec.models.find((one) => one.id === id);
  if (found === undefined || (log && !isKeyed(found))) {
    notes.add(place, 'an unknown source or table', oneOf(name, inputsOf(spec, model)));
    return undefined;
  }
  if (found.id === model.id) {
    notes.add(
      place,
      "the model's own table",
      'runs: [{ given: ... }, { given: ... }], of which an earlier one makes its rows',
    );
    return undefined;
  }
  const columns = log && isKeyed(found) ? readableLogColumns(found) : readableColumns(found);
  const rows = await readTyped(value, columns, place, context);
  return rows && { kind: 'table', table: { layer: found.layer, name: found.name }, log, rows };
}

/** Rows of a table, whose values are checked against its columns. */
async function readTyped(
  value: unknown,
  columns: readonly Column[],
  place: string,
  context: TestContext,
): Promise<readonly GivenRow[] | undefined> {
  const rows = readRows(value, { names: columns.map((column) => column.name), others: false }, place, context.notes);
  if (rows !== undefined) await checkValues(context, columns, rows, place);
  return rows;
}

/** Notes every value that is no value of its column's type. */
export async function checkValues(
  { session, notes }: TestContext,
  columns: readonly Column[],
  rows: readonly GivenRow[],
  place: string,
): Promise<void> {
  const named = columns.filter(({ name }) => rows.some((row) => row.has(name)));
  if (named.length === 0) return;
  for (const { nth, misfits } of await session.rows(findMisfits(named, rows))) {
    for (const misfit of Array.isArray(misfits) ? misfits : []) {
      const column = named[Number(misfit)];
      if (column === undefined) continue;
      const text = cellText(rows[Number(nth)]?.get(column.name));
      notes.add(placeIn(placeIn(place, Number(nth)), column.name), showValue(text), renderColumnType(column.type));
    }
  }
}

/** Everything that may be given for a model: what it reads, and what that is made of. */
function inputsOf(spec: PipelineSpec, model: ModelSpec): readonly string[] {
  const { models, sources } = needsOf(spec, model, new Set());
  const files = sources.filter((name) => spec.sources.find((one) => one.name === name)?.seed === undefined);
  return [...files, ...models.map(modelId).filter((id) => id !== model.id), ...othersOf(models)];
}

/** Tables of other pipelines that models read, which no run computes. */
function othersOf(models: readonly ModelSpec[]): readonly string[] {
  return [...new Set(models.flatMap((one) => one.reads.filter((ref) => ref.pipeline !== undefined).map(modelId)))];
}

/** Notes inputs that no run gives, and what is given and not read. */
export function checkInputs(
  { spec, notes }: TestContext,
  model: ModelSpec,
  runs: readonly TestRun[],
  place: string,
): void {
  const all = runs.flatMap((run) => run.given);
  const tables = new Set(all.flatMap((one) => (one.kind === 'table' ? [modelId(one.table)] : [])));
  const sources = new Set(all.flatMap((one) => (one.kind === 'source' ? [one.source] : [])));
  const needs = needsOf(spec, model, tables);
  const read = new Set(needs.models.flatMap((one) => one.reads.map(modelId)));
  const at = placeIn(place, 'given');
  // A seed is there with the pipeline.
  const files = spec.sources.filter(({ seed }) => seed === undefined).map(({ name }) => name);
  for (const source of needs.sources.filter((name) => files.includes(name))) {
    if (sources.has(source)) continue;
    const readers = needs.models.filter((one) => one.layer === 'silver' && one.from === source).map(modelId);
    const instead = readers.filter((id) => id !== model.id).map((id) => `, or ${id} itself`);
    notes.add(at, `no ${source}, which ${readers.join(' and ')} reads`, `${source}: [{ ... }]${instead.join('')}`);
  }
  for (const other of othersOf(needs.models).filter((id) => !tables.has(id))) {
    const readers = needs.models.filter((one) => one.reads.some((ref) => modelId(ref) === other)).map(modelId);
    notes.add(at, `no ${other}, which ${readers.join(' and ')} reads`, `${other}: [{ ... }]`);
  }
  for (const source of sources) {
    if (!needs.sources.includes(source)) {
      notes.add(placeIn(at, source), 'a source that is not read', oneOf(source, [...needs.sources, ...read]));
    }
  }
  for (const table of tables) {
    if (!read.has(table))
      notes.add(placeIn(at, table), 'a table that is not read', oneOf(table, [...needs.sources, ...read]));
  }
}
