import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { FilePiece } from '../../core/file-piece.ts';
import { objectName } from '../../core/objects.ts';
import type { LandedFile } from '../../core/run.ts';
import type { ContractColumn, SilverModel, SourceSpec } from '../../core/spec.ts';
import { inspectLanded } from '../../lake/batch/batch-files.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { type LandedRead, readLanded } from '../../lake/files/read-landed.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { machineHolds, withPlainSession } from '../../lake/run/floor.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { isNamed, strangeFields } from '../../landing/columns.ts';
import type { FileColumn } from '../../landing/inspect.ts';
import { MOST_COLUMNS } from '../../landing/limits.ts';
import type { Session, Statement } from '../../ports.ts';
import { listJsonKeys, listStrangeKeys } from '../../sql/inspect.ts';
import type { JsonGroup } from '../../sql/raw-rows.ts';
import { columnTypeOf } from '../../sql/types.ts';

/** A warning names no more fields. */
const SHOWN = 20;

/** A contract, and the names of the files whose columns it has no room for. */
export type Evolved = { readonly contract: SourceSpec; readonly tooWide: readonly string[] };

/**
 * The contract with the columns that drift 'evolve' found in these files: text as it stands for CSV and JSON, the
 * file's own type for Parquet, up to MOST_COLUMNS in all. A model with SQL of its own takes none of them, and says so. Files that are no longer as planned are left out. Other policies
 * leave the contract alone, since `inspectFile` deals with strange columns.
 */
export async function evolveContract(
  deps: StepDeps,
  source: SourceSpec,
  model: SilverModel,
  files: readonly LandedFile[],
): Promise<LandedRead<Evolved>> {
  if (source.drift !== 'evolve' || files.length === 0) {
    return { value: { contract: source, tooWide: [] }, left: [] };
  }
  return readLanded(deps, files, (present, borrowed) =>
    withPlaces(deps, async (session, scratch) => {
      const parts = new Set<string>();
      const tooWide: string[] = [];
      let found: ReadonlyMap<string, string> = new Map();
      for (const [i, file] of present.entries()) {
        const landed = { ...headOf(source, file), path: pathOf(borrowed, objectName(file)) };
        const strange = await strangeColumns({ deps, session }, source, landed, join(scratch, String(i)));
        for (const part of strange.parts) parts.add(part);
        const news = strange.columns.filter(({ name, type }) => found.get(name) !== type);
        if (news.length === 0) continue;
        const more = new Map([...found, ...news.map(({ name, type }) => [name, type] as const)]);
        if (source.columns.length + newColumns(source, more).length <= MOST_COLUMNS) found = more;
        else tooWide.push(objectName(file));
      }
      if (parts.size > 0) {
        const fields = [...parts].slice(0, SHOWN).join(', ');
        deps.log.warn('fields that the contract does not name are left out', { source: source.name, fields });
      }
      const added = newColumns(source, found);
      if (model.selectsAll) return { contract: { ...source, columns: [...source.columns, ...added] }, tooWide };
      if (added.length > 0) {
        const columns = added
          .map(({ name }) => name)
          .slice(0, SHOWN)
          .join(', ');
        deps.log.warn('columns that the contract does not name are left out, for the model has SQL of its own', {
          model: model.id,
          columns,
        });
      }
      return { contract: source, tooWide: [] };
    }),
  );
}

/** Of a part of a CSV file no more than its header says what columns there are. */
function headOf({ format }: SourceSpec, { piece }: LandedFile): { readonly piece?: FilePiece } {
  if (piece === undefined) return {};
  return { piece: format.kind === 'csv' && piece.header !== undefined ? { ...piece, to: piece.from } : piece };
}

/** What a file has beyond the contract: columns, and fields inside columns, by their paths. */
type Strange = { readonly columns: readonly FileColumn[]; readonly parts: readonly string[] };

/** One session for all files; what fails in it is tried again in one of its own, for it may be lost. */
type Places = { readonly deps: StepDeps; readonly session: Session };

async function withPlaces<T>(deps: StepDeps, use: (session: Session, scratch: string) => Promise<T>): Promise<T> {
  await using scratch = await openScratch(deps, 'drift');
  await using session = await deps.engine.open(deps.settings);
  return await use(session, scratch.folder);
}

async function strangeColumns(
  { deps, session }: Places,
  source: SourceSpec,
  landed: Parameters<typeof inspectLanded>[2],
  scratch: string,
): Promise<Strange> {
  let inspection = await inspectLanded(session, source, landed, scratch);
  if (inspection.kind === 'rejected' && inspection.cause !== undefined) {
    inspection = await withPlainSession(deps, (own) => inspectLanded(own, source, landed, `${scratch}-again`));
  }
  if (inspection.kind === 'rejected') return { columns: [], parts: [] };
  const { layout } = inspection;
  if (layout.kind === 'csv') return { columns: inspection.extra, parts: [] };
  if (layout.kind === 'parquet') return { columns: inspection.extra, parts: strangeFields(source, layout.columns) };
  const group = { layout, paths: [inspection.path] };
  const records = inspection.numbering.records ?? 0;
  const keys = await listNames({ deps, session }, listJsonKeys, group, records);
  const parts = await listNames({ deps, session }, (some) => listStrangeKeys(source.columns, some), group, records);
  const columns = keys.map((name) => ({ name, type: 'VARCHAR' })).filter((c) => !isNamed(source, c.name));
  return { columns, parts };
}

/** Names from all records but those that the engine cannot take, which are found by halving; staging sets them aside. */
async function listNames(
  { deps, session }: Places,
  render: (group: JsonGroup) => Statement | undefined,
  group: JsonGroup,
  records: number,
): Promise<readonly string[]> {
  const list = async (within: Session, some: JsonGroup): Promise<readonly string[] | undefined> => {
    const statement = render(some);
    if (statement === undefined) return [];
    try {
      return (await within.rows(statement)).map((row) => String(row['name']));
    } catch (cause) {
      if (cause instanceof EngineError && (await machineHolds(deps))) return undefined;
      throw cause;
    }
  };
  const listPart = async (from: number, to: number): Promise<readonly string[]> => {
    const part = { ...group, rows: { from, to, without: [] } };
    const names = from >= to ? [] : await withPlainSession(deps, (own) => list(own, part));
    if (names !== undefined || to - from === 1) return names ?? [];
    const middle = Math.floor((from + to) / 2);
    return [...(await listPart(from, middle)), ...(await listPart(middle, to))];
  };
  return (await list(session, group)) ?? [...new Set(await listPart(0, records))].sort();
}

/** Columns whose name is free; one that differs from a known name by case alone cannot be told apart in SQL. */
function newColumns(source: SourceSpec, found: ReadonlyMap<string, string>): ContractColumn[] {
  const taken = new Set(source.columns.map((c) => c.name.toLowerCase()));
  const added: ContractColumn[] = [];
  for (const [name, duckType] of found) {
    const type = columnTypeOf(duckType);
    if (type === undefined || name === '' || name.startsWith('_') || taken.has(name.toLowerCase())) continue;
    taken.add(name.toLowerCase());
    added.push({ source: name, name, type, parse: { kind: 'auto' }, required: false, checks: [] });
  }
  return added;
}
