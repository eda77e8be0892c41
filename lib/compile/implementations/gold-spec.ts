import type { ColumnOrigins } from '../../core/column-origins.ts';
import type { Computing } from '../../core/implementation.ts';
import { implementedBy } from '../../core/implementations.ts';
import type { GoldModel } from '../../core/spec.ts';
import { valuesOf } from '../../core/vars.ts';
import type { Binding } from '../conditions.ts';
import type { BoundModel } from '../draft.ts';
import { dueByOf } from '../due-by.ts';
import { createNotes } from '../notes.ts';
import { bindTouched } from '../touched.ts';
import { varsIn } from '../vars.ts';
import { implementationsOf } from './bind.ts';

type OriginsOf = (one: BoundModel) => ColumnOrigins;

/** What follows from a model's SQL, whatever its layer. */
export function readingOf(
  { vars }: Binding,
  one: BoundModel,
  origins: OriginsOf,
): Pick<Computing, 'sqlFile' | 'reads' | 'vars'> & { readonly origins: ColumnOrigins } {
  const { parsed } = one;
  const used = varsIn(parsed.tree);
  return {
    sqlFile: parsed.draft.sqlFile,
    reads: parsed.reads,
    origins: origins(one),
    ...(used.length === 0 ? {} : { vars: valuesOf(vars.filter(({ name }) => used.includes(name))) }),
  };
}

/** A gold model of what all models have, with its other texts; `undefined` when a problem was noted. */
export async function goldSpec(
  binding: Binding,
  model: BoundModel,
  common: Omit<GoldModel, 'layer' | keyof ComputedIn>,
  origins: OriginsOf,
): Promise<GoldModel | undefined> {
  const own = await computedIn(binding, model, binding.notes);
  if (own === undefined) return undefined;
  const computing = async (one: BoundModel): Promise<Computing | undefined> => {
    const same = one.parsed.draft.sqlFile === model.parsed.draft.sqlFile;
    // A grain is for the text that names the date; that none does is said of the published one.
    const part = same ? own : await computedIn(binding, one, createNotes(''));
    return part && { ...readingOf(binding, one, origins), ...part };
  };
  const implementations = await implementationsOf(model, computing);
  const gold: GoldModel = { ...common, layer: 'gold', ...own };
  return implementations === undefined ? gold : implementedBy({ ...gold, implementations }, implementations.use);
}

type ComputedIn = Pick<Computing, 'sql' | 'readsLogs' | 'refresh' | 'dueBy'>;

async function computedIn(
  binding: Binding,
  { parsed, ...bound }: BoundModel,
  dateNotes: Binding['notes'],
): Promise<ComputedIn | undefined> {
  const full = parsed.draft.refresh === 'full';
  const refresh = full ? ({ kind: 'full' } as const) : await bindTouched(binding, { parsed, ...bound });
  const dueBy = dueByOf(parsed, dateNotes);
  if (refresh === undefined) return undefined;
  const { sql, readsLogs } = parsed;
  return { sql, readsLogs, refresh, ...(dueBy === undefined ? {} : { dueBy }) };
}
