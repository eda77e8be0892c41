import { createHash } from 'node:crypto';
import { asRules, isKeyed, isKeyedMode, knowing, mergesOnRead, trackedBy } from '../core/keyed.ts';
import type { ContractMade, MadeBy } from '../core/made-by.ts';
import { RELEASE } from '../core/release.ts';
import { renameModel, renameSource } from '../core/renamed-model.ts';
import { namesInFiles, pendingRenames, renamedSpellings } from '../core/renames.ts';
import type {
  ContractColumn,
  Expectation,
  KeyedMode,
  ModelMode,
  ModelSpec,
  PipelineSpec,
  SourceSpec,
} from '../core/spec.ts';
import { renderColumnType } from '../core/types.ts';

/** What makes a model's table as the pipeline is now. */
export function madeBy(spec: Pick<PipelineSpec, 'sources'>, model: ModelSpec): MadeBy {
  const source = model.layer === 'silver' ? spec.sources.find(({ name }) => name === model.from) : undefined;
  const { key, ...mode } = model.layer === 'silver' ? keyApart(model.mode) : { key: null };
  return {
    release: RELEASE,
    columns: hash(model.columns),
    sql: hash(model.sql),
    written: hash((model.layer === 'silver' ? model.written : undefined) ?? model.sql),
    mode: hash(asRule(mode)),
    ...(model.layer === 'silver' && mergesOnRead(model) ? { write: 'merge-on-read' as const } : {}),
    key: hash(key),
    keyed: isKeyed(model),
    partitioning: hash(model.partitionBy),
    contract:
      source === undefined ? null : Object.fromEntries(source.columns.map((one) => [one.name, contractMade(one)])),
    format: source === undefined ? null : hash([source.format, source.key]),
    rules: hash(model.expect.filter(rejects)),
    checks: Object.fromEntries(model.expect.filter((one) => !rejects(one)).map((one) => [one.name, hashCheck(one)])),
  };
}

function rejects({ kind, policy }: Expectation): boolean {
  return kind === 'row' && policy === 'drop';
}

/** The code of a row that is not rejected is nowhere. */
function hashCheck(expectation: Expectation): string {
  return hash(expectation.kind === 'row' ? { ...expectation, code: null } : expectation);
}

/** The names by which files may have the column say nothing of its values, nor does who may see them, nor what is said of it. */
function contractMade({
  name: _name,
  type,
  renamedFrom: _before,
  personal: _personal,
  description: _text,
  ...rest
}: ContractColumn): ContractMade {
  const filled = rest.default === undefined ? {} : { filled: true as const };
  return { type: renderColumnType(type), rest: hash(rest), ...filled };
}

/** The names of a table's columns: those that it has, and those that it has ever had. */
export type TableNames = { readonly now: readonly string[]; readonly ever: ReadonlySet<string> };

/**
 * What makes a model's table, under the names that its columns had when what it remembers was written: what differs then is
 * more than names.
 */
export function madeBefore(
  spec: Pick<PipelineSpec, 'sources'>,
  model: ModelSpec,
  was: MadeBy,
  names: TableNames,
): { readonly is: MadeBy; readonly renamed: ReadonlyMap<string, string> } {
  const source = model.layer === 'silver' ? spec.sources.find(({ name }) => name === model.from) : undefined;
  const former = Object.fromEntries((source?.columns ?? []).map(({ name, renamedFrom = [] }) => [name, renamedFrom]));
  const renamed = new Map([
    ...pendingRenames(former, Object.keys(was.contract ?? {})),
    ...pendingRenames(model.renamed ?? {}, names.now),
  ]);
  const before = source === undefined ? undefined : nameInFilesBefore(renameSource(source, renamed), was);
  const then = renameModel(model, renamed);
  const is = madeBy({ sources: before === undefined ? [] : [before] }, then);
  const spelled = renamed.size > 0 && [...renamedSpellings(model.sql, renamed)].some((sql) => hash(sql) === was.sql);
  return { is: { ...is, ...(spelled ? { sql: was.sql } : {}), ...modeBefore(then, was, names.ever) }, renamed };
}

/** The mode is as it was where it tracks more columns only that the table never had, which are null in all of its events. */
function modeBefore(model: ModelSpec, was: MadeBy, ever: TableNames['ever']): Pick<MadeBy, 'mode'> | undefined {
  if (!isKeyed(model)) return undefined;
  const { key: _key, ...known } = asRules(knowing(model.mode, ever));
  // Earlier releases remembered the order of tracked columns as well.
  return [hash(asRule(known)), hash(known)].includes(was.mode) ? { mode: was.mode } : undefined;
}

/** A source whose columns have those of their names in files by which the table remembers them. */
function nameInFilesBefore(source: SourceSpec, { contract }: MadeBy): SourceSpec {
  const columns = source.columns.map((column) => {
    const made = contract !== null && Object.hasOwn(contract, column.name) ? contract[column.name] : undefined;
    const names = namesInFiles(column).map((name) => ({ ...column, source: name }));
    return names.find((one) => contractMade(one).rest === made?.rest) ?? column;
  });
  return { ...source, columns };
}

/** A mode, or what it is without its key, as far as rows follow from it. */
function asRule(mode: object | Pick<KeyedMode, 'kind' | 'track'>): unknown {
  return 'track' in mode ? { ...mode, track: trackedBy(mode) } : mode;
}

/** The columns by which a mode tells rows apart, and what else it says. */
function keyApart(mode: ModelMode): { readonly key: unknown } & Record<string, unknown> {
  if (isKeyedMode(mode)) {
    const { key, ...rest } = asRules(mode);
    return { key, ...rest };
  }
  if (mode.kind !== 'append') return { key: null, ...mode };
  const { dedupe, ...rest } = mode;
  return { key: dedupe, ...rest };
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
