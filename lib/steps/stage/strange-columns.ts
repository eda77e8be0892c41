import { EngineError } from '../../core/errors.ts';
import type { SourceSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { machineHolds, withPlainSession } from '../../lake/run/floor.ts';
import { isNamed, strangeFields } from '../../landing/columns.ts';
import { type FileColumn, type Inspection, inspectFile } from '../../landing/inspect.ts';
import type { Session, Statement } from '../../ports.ts';
import { listJsonKeys, listStrangeKeys } from '../../sql/inspect.ts';
import type { JsonGroup } from '../../sql/raw-rows.ts';

/** What a file has beyond the contract: columns, and fields inside columns, by their paths. */
export type Strange = { readonly columns: readonly FileColumn[]; readonly parts: readonly string[] };

/** One session for all files; what fails in it is tried again in one of its own, for it may be lost. */
export type Places = { readonly deps: StepDeps; readonly session: Session };

export async function withPlaces<T>(
  deps: StepDeps,
  use: (session: Session, scratch: string) => Promise<T>,
): Promise<T> {
  await using scratch = await openScratch(deps, 'drift');
  await using session = await deps.engine.open(deps.settings);
  return await use(session, scratch.folder);
}

/** Inspects a file; `again` tells the scratch files of one look from those of another. */
export type LookAtFile = (session: Session, again: string) => Promise<Inspection>;

export function lookAtFile(source: SourceSpec, path: string, scratch: string): LookAtFile {
  return (session, again) => inspectFile(session, source, path, `${scratch}${again}`);
}

export async function strangeColumns(
  { deps, session }: Places,
  source: SourceSpec,
  look: LookAtFile,
): Promise<Strange> {
  let inspection = await look(session, '');
  if (inspection.kind === 'rejected' && inspection.cause !== undefined) {
    inspection = await withPlainSession(deps, (own) => look(own, '-again'));
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
