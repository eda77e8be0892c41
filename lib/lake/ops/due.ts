import type { Asked } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec, SilverModel } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { staysAsItIs, type TableChange } from '../../plan/table-changes.ts';
import { tableIdOf } from '../tables/table-state.ts';

/** Of a survey, what says which tables are to be made anew. */
export type Lookout = {
  /** The pipeline as far as the run is about. */
  readonly spec: PipelineSpec;
  /** Ids of the tables that are there. */
  readonly existing: ReadonlySet<string>;
  /** Sources of which runs have taken files. */
  readonly history: ReadonlySet<string>;
  readonly changes: readonly TableChange[];
  /** Keyed models whose tables are there without the logs that say what they follow from. */
  readonly lost?: ReadonlySet<string>;
};

/**
 * The silver models whose tables a run makes anew: all of a backfill; of a plain run those that are not there although their source
 * has had files, those that have lost their logs, and those that have changed, where the pipeline says that this means a backfill.
 */
export function modelsDue({ spec, existing, history, changes, lost }: Lookout, asked: Asked): readonly SilverModel[] {
  const silver = spec.models.filter((model): model is SilverModel => model.layer === 'silver');
  if (asked.backfill !== undefined) return silver;
  if (!isPlain(asked)) return [];
  const changed = new Set(spec.onChange === 'backfill' && asked.forward_only !== true ? backfills(changes) : []);
  return silver.filter(
    (model) =>
      changed.has(model.id) ||
      lost?.has(model.id) === true ||
      (!existing.has(model.id) && history.has(model.from) && model.backfill !== 'never' && asked.forward_only !== true),
  );
}

/**
 * Changes that a plain run stops at: their tables' rows would be others, and nothing says what is to become of them, or what it
 * says cannot be.
 */
export function refusedChanges(
  { spec, changes }: Pick<Lookout, 'spec' | 'changes'>,
  asked: Asked,
): readonly TableChange[] {
  if (!isPlain(asked)) return [];
  const forward = asked.forward_only === true || spec.onChange === 'forward';
  if (!forward && spec.onChange === 'backfill') return [];
  return changes.filter(({ kind, apart }) => kind === 'backfill' && (!forward || apart === true));
}

/** Throws InvalidInput with the changes that a run stops at, and the choice; of those that no backfill can follow (`stuck`) why, and what can. */
export function checkChanges(
  lookout: Pick<Lookout, 'spec' | 'changes'> & { readonly stuck: ReadonlyMap<string, string> },
  asked: Asked,
): void {
  const refused = refusedChanges(lookout, asked);
  const { spec } = lookout;
  if (refused.length === 0) return;
  const nameOf = (model: string): string => {
    const found = spec.models.find(({ id }) => id === model);
    return found === undefined ? model : fullName(tableIdOf(spec, found));
  };
  const lines = refused.map(({ model, what }) => `  ${nameOf(model)}: ${what.join(', ')}`);
  const stuck = refused.flatMap(({ model }) => lookout.stuck.get(model) ?? []);
  const apart = refused.filter((one) => one.apart === true).map(({ model }) => nameOf(model));
  throw new InvalidInput(
    [
      `${spec.name} has changed since rows of its tables were made, and nothing was done:`,
      ...lines,
      ...stuck,
      ...(stuck.length > 0 ? [] : [apart.length === 0 ? choiceOf(spec.name) : onlyAnew(spec.name, apart)]),
    ].join('\n'),
  );
}

function choiceOf(pipeline: string): string {
  return (
    `Choose: strata backfill ${pipeline} makes these tables anew from all that has landed; strata run ${pipeline} --forward-only leaves ` +
    "their rows as they are, and makes new ones by the pipeline of now. onChange: 'backfill' or 'forward' in the pipeline says it once and for all"
  );
}

function onlyAnew(pipeline: string, apart: readonly string[]): string {
  return (
    `strata backfill ${pipeline} makes these tables anew from all that has landed, and onChange: 'backfill' in the pipeline says it once and ` +
    `for all. --forward-only cannot be: rows of now cannot stand beside those that are in ${apart.join(', ')}`
  );
}

function backfills(changes: readonly TableChange[]): readonly string[] {
  return changes.filter(({ kind }) => kind === 'backfill').map(({ model }) => model);
}

/** Models whose tables have yet to be asked about expectations of now, or to say what the pipeline says of their columns. */
export function checksDue(changes: readonly TableChange[]): readonly string[] {
  return changes.filter(staysAsItIs).map(({ model }) => model);
}

/** A rebuild, a reprocessing and a retry say themselves what they take. */
export function isPlain({ rebuild, reprocess, retry, backfill }: Asked): boolean {
  return (rebuild ?? reprocess ?? retry ?? backfill) === undefined;
}
