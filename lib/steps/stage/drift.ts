import { join } from 'node:path';
import { objectName } from '../../core/objects.ts';
import type { LandedFile } from '../../core/run.ts';
import type { ContractColumn, SilverModel, SourceSpec } from '../../core/spec.ts';
import type { ColumnType } from '../../core/types.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { type KeptFiles, lendingKept } from '../../lake/files/keep-files.ts';
import { type LandedRead, readLanded } from '../../lake/files/read-landed.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { MOST_COLUMNS } from '../../landing/limits.ts';
import { isCut } from '../../plan/stage-units.ts';
import { type DriftColumns, type Drifting, fittingColumns, freeColumns, joinColumns } from './drift-columns.ts';
import { lookAtFile, type Strange, strangeColumns, withPlaces } from './strange-columns.ts';
import { strangeOfParts } from './strange-parts.ts';

/** A warning names no more fields. */
const SHOWN = 20;

/** A contract, and the names of the files whose columns it has no room for. */
export type Evolved = { readonly contract: SourceSpec; readonly tooWide: readonly string[] };

/**
 * The files of a model, of which large ones are cut: into parts, or to be read in parts of some bytes. `base`: the table beside whose rows
 * theirs will stand, where there is one.
 */
export type EvolvingFiles = {
  readonly files: readonly LandedFile[];
  readonly kept: KeptFiles | undefined;
  readonly partBytes: number;
  readonly base: TableMetadata | undefined;
};

/**
 * The contract with the columns that drift 'evolve' found in these files: text as it stands for CSV and JSON, the
 * types of the files for Parquet, that of the table where it has the column and can take no other, up to MOST_COLUMNS in all. A model with SQL of its own takes none of them, and says so. Files that are no longer as planned are left out. Other policies
 * leave the contract alone, since `inspectFile` deals with strange columns.
 */
export async function evolveContract(
  deps: StepDeps,
  source: SourceSpec,
  model: SilverModel,
  given: EvolvingFiles,
): Promise<LandedRead<Evolved>> {
  if (source.drift !== 'evolve' || given.files.length === 0) {
    return { value: { contract: source, tooWide: [] }, left: [] };
  }
  const { value: strange, left } = await findStrange(deps, source, given);
  return { value: evolve(deps, { source, model, base: given.base }, strange), left };
}

/** By name, in the order of the files: what each has beyond the contract. */
type StrangeFiles = ReadonlyMap<string, Strange>;

async function findStrange(
  deps: StepDeps,
  source: SourceSpec,
  { files, kept, partBytes }: EvolvingFiles,
): Promise<LandedRead<StrangeFiles>> {
  const small = files.filter((file) => !isCut(file));
  const lending = { ...deps, store: { ...deps.store, ...lendingKept(deps.store, kept) } };
  const wholes = await readLanded(lending, small, (present, borrowed) =>
    withPlaces(deps, async (session, scratch) => {
      const found = new Map<string, Strange>();
      for (const [i, file] of present.entries()) {
        const look = lookAtFile(source, pathOf(borrowed, objectName(file)), join(scratch, String(i)));
        found.set(objectName(file), await strangeColumns({ deps, session }, source, look));
      }
      return found;
    }),
  );
  const found = new Map<string, Strange>(wholes.value);
  const left = [...wholes.left];
  for (const [name, parts] of Map.groupBy(files.filter(isCut), objectName)) {
    const one = await strangeOfParts(deps, source, parts, { kept, partBytes });
    left.push(...one.left);
    if (one.left.length === 0) found.set(name, one.value);
  }
  const inOrder = [...new Set(files.map(objectName))].flatMap((name) => {
    const one = found.get(name);
    return one === undefined ? [] : [[name, one] as const];
  });
  return { value: new Map(inOrder), left };
}

function evolve(deps: StepDeps, drifting: Drifting, strange: StrangeFiles): Evolved {
  const { source, model } = drifting;
  const parts = new Set<string>();
  const tooWide: string[] = [];
  let found: DriftColumns = new Map();
  for (const [file, { columns, parts: some }] of strange) {
    for (const part of some) parts.add(part);
    const more = joinColumns(found, columns);
    if (more === found) continue;
    if (source.columns.length + freeColumns(drifting, more).length <= MOST_COLUMNS) found = more;
    else tooWide.push(file);
  }
  if (parts.size > 0) {
    const fields = [...parts].slice(0, SHOWN).join(', ');
    deps.log.warn('fields that the contract does not name are left out', { source: source.name, fields });
  }
  const added = fittingColumns(drifting, found);
  if (model.selectsAll) {
    const columns = added.map(({ name, type }) => contractColumn(name, type));
    return { contract: { ...source, columns: [...source.columns, ...columns] }, tooWide };
  }
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
}

function contractColumn(name: string, type: ColumnType): ContractColumn {
  return { source: name, name, type, parse: { kind: 'auto' }, required: false, checks: [] };
}
