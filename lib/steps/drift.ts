import { join } from 'node:path';
import { objectName } from '../core/objects.ts';
import type { LandedFile } from '../core/run.ts';
import type { ContractColumn, SilverModel, SourceSpec } from '../core/spec.ts';
import { strangeFields } from '../landing/columns.ts';
import { type FileColumn, inspectFile } from '../landing/inspect.ts';
import type { Session } from '../ports.ts';
import { listJsonKeys, listStrangeKeys } from '../sql/inspect.ts';
import { columnTypeOf } from '../sql/types.ts';
import type { StepDeps } from './deps.ts';
import { pathOf } from './foreign-files.ts';
import { withScratch } from './place-files.ts';
import { type LandedRead, readLanded } from './read-landed.ts';

/** A warning names no more fields. */
const SHOWN = 20;

/**
 * The contract with the columns that drift 'evolve' found in these files: text as it stands for CSV and JSON, the
 * file's own type for Parquet. Files that are no longer as planned are left out. Other policies leave the contract alone, since `inspectFile` deals with strange columns.
 */
export async function evolveContract(
  deps: StepDeps,
  source: SourceSpec,
  model: SilverModel,
  files: readonly LandedFile[],
): Promise<LandedRead<SourceSpec>> {
  if (source.drift !== 'evolve' || !model.selectsAll || files.length === 0) return { value: source, left: [] };
  const session = await deps.engine.open(deps.settings);
  try {
    return await readLanded(deps, files, async (present, borrowed) => {
      const found = await withScratch(deps, 'drift', async (scratch) => {
        const columns = new Map<string, string>();
        const parts = new Set<string>();
        for (const [i, file] of present.entries()) {
          const path = pathOf(borrowed, objectName(file));
          const strange = await strangeColumns(session, source, path, join(scratch, String(i)));
          for (const c of strange.columns) columns.set(c.name, c.type);
          for (const part of strange.parts) parts.add(part);
        }
        if (parts.size > 0) {
          const fields = [...parts].slice(0, SHOWN).join(', ');
          deps.log.warn('fields that the contract does not name are left out', { source: source.name, fields });
        }
        return columns;
      });
      return { ...source, columns: [...source.columns, ...newColumns(source, found)] };
    });
  } finally {
    await session.close();
  }
}

/** What a file has beyond the contract: columns, and fields inside columns, by their paths. */
type Strange = { readonly columns: readonly FileColumn[]; readonly parts: readonly string[] };

async function strangeColumns(session: Session, source: SourceSpec, path: string, scratch: string): Promise<Strange> {
  const inspection = await inspectFile(session, source, path, scratch);
  if (inspection.kind === 'rejected') return { columns: [], parts: [] };
  const { layout } = inspection;
  if (layout.kind === 'csv') return { columns: inspection.extra, parts: [] };
  if (layout.kind === 'parquet') return { columns: inspection.extra, parts: strangeFields(source, layout.columns) };
  const keys = await session.rows(listJsonKeys(inspection.path, layout));
  const inside = listStrangeKeys(source.columns, inspection.path, layout);
  const parts = inside === undefined ? [] : await session.rows(inside);
  const named = new Set(source.columns.map((c) => c.source));
  const columns = keys.map((row) => ({ name: String(row['name']), type: 'VARCHAR' })).filter((c) => !named.has(c.name));
  return { columns, parts: parts.map((row) => String(row['name'])) };
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
