import type { Backfill } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { RunPlan } from '../../core/run.ts';
import type { SilverModel } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { planWindow } from '../../iceberg/time-window.ts';
import { type Survey, selectedOf } from '../../lake/ops/survey.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';
import { windowOf } from '../../lake/tables/windowed.ts';
import type { Work } from './work.ts';

type Known = Pick<Survey, 'spec' | 'selection' | 'tables' | 'changes'>;

/** The window that is asked for, `undefined` where it is none. Throws InvalidInput for what is no time, or no span. */
export function askedWindow({ from, to }: Backfill): RunPlan['window'] {
  if (from === undefined && to === undefined) return undefined;
  const [since, until] = [instantOf('from', from), instantOf('to', to)];
  if (since !== undefined && until !== undefined && since >= until)
    throw new InvalidInput(`backfill: got from ${from} to ${to}; expected an end after the beginning`);
  return { ...(since === undefined ? {} : { from: since }), ...(until === undefined ? {} : { to: until }) };
}

function instantOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new InvalidInput(`backfill: got ${name} ${JSON.stringify(text)}; expected ISO 8601, such as 2026-01-31`);
}

/**
 * A backfill of some partitions: what waits is left to the next run, since rows of it outside the window would be lost. Throws
 * InvalidInput with each table of which a part cannot be made anew by itself.
 */
export function withinWindow(survey: Known, work: Work, window: NonNullable<RunPlan['window']>): Work {
  const { spec } = survey;
  const silver = meantBy(survey);
  const refused = silver.flatMap((model) => {
    const reason = reasonAgainst(survey, model, window);
    return reason === undefined ? [] : [`  ${fullName(tableIdOf(spec, model))}: ${reason}`];
  });
  if (refused.length > 0) {
    throw new InvalidInput(
      [
        `a part of these tables cannot be made anew by itself, and nothing was done:`,
        ...refused,
        `Leave them out (--select), make all of them anew, without --from and --to, or take files again by ` +
          `the time they landed (strata reprocess ${spec.name} --source S --from T --to T)`,
      ].join('\n'),
    );
  }
  const anew = silver.map(({ id }) => id);
  const files = new Map([...work.files].filter(([model]) => anew.includes(model)));
  const withdraw = new Set([...files.values()].flat().map(({ key }) => key));
  return { ...work, files, withdraw: [...withdraw], withdraw_from: anew, anew, window };
}

/** Tables that come along only because a selected one joins them stay as they are. */
function meantBy(survey: Pick<Survey, 'spec' | 'selection'>): readonly SilverModel[] {
  const silver = selectedOf(survey).models.filter((one): one is SilverModel => one.layer === 'silver');
  const along = new Set(survey.selection?.along.map(({ model }) => model));
  return silver.filter(({ id }) => !along.has(id));
}

function reasonAgainst(
  { tables, changes }: Known,
  model: SilverModel,
  window: NonNullable<RunPlan['window']>,
): string | undefined {
  const { kind } = model.mode;
  if (kind !== 'append' && kind !== 'replace') return `its mode is ${kind}; expected append or replace`;
  const changed = changes.find((one) => one.model === model.id && one.kind === 'backfill');
  if (changed !== undefined) return `${changed.what.join(', ')} changed, which concerns all of its rows`;
  const table = tables.get(model.id);
  if (table === undefined) return 'it is not there yet';
  const planned = planWindow(currentSpec(table.metadata), currentSchema(table.metadata), windowOf(window));
  return planned.kind === 'refused' ? planned.reason : undefined;
}
