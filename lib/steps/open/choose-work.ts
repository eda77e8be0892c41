import type { Backfill, Retry } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { LandedFile, OpenInput } from '../../core/run.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { isPlain } from '../../lake/ops/due.ts';
import type { Taken } from '../../lake/ops/ledger.ts';
import { filesAnew, type Survey } from '../../lake/ops/survey.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';
import { checkGone } from './check-gone.ts';
import { reprocessWork } from './reprocess-work.ts';
import { askedWindow, withinWindow } from './window-work.ts';
import { NOTHING, type Work } from './work.ts';

/** A plain run ingests what waits; a rebuild, a reprocessing and a retry leave waiting files to the next run. */
export async function chooseWork(
  deps: StepDeps,
  survey: Pick<Survey, 'spec' | 'waiting' | 'aside' | 'taken' | 'selection' | 'tables' | 'changes'>,
  input: OpenInput,
): Promise<Work> {
  if (input.rebuild !== undefined) {
    return { ...NOTHING, rebuild: [findKeyed(survey.spec, input.rebuild)] };
  }
  if (input.backfill !== undefined || (survey.taken !== undefined && isPlain(input))) {
    return anewWork(survey, input.backfill ?? {});
  }
  if (input.retry !== undefined) return { ...NOTHING, files: findAside(survey, input.retry) };
  if (input.reprocess === undefined) return { ...NOTHING, files: survey.waiting };
  return reprocessWork(deps, survey, input.reprocess);
}

const NOTHING_TAKEN: Taken = { files: new Map(), gone: [], places: new Map(), next: new Map() };

/**
 * For tables that are made anew everything that landed in their sources, in the order in which runs took it, and what waits
 * last; for the others what waits for them.
 */
function anewWork(
  survey: Pick<Survey, 'spec' | 'waiting' | 'taken' | 'selection' | 'tables' | 'changes'>,
  { allow_missing = false, ...asked }: Backfill,
): Work {
  const { taken = NOTHING_TAKEN, waiting } = survey;
  if (!allow_missing) checkGone(survey.spec, taken);
  const window = askedWindow(asked);
  const found = window === undefined ? filesAnew({ taken, waiting }) : taken.files;
  const files = allow_missing ? withoutClaim(found) : found;
  const anew = [...taken.files.keys()];
  const withdraw = [...taken.files.values()].flat().map((file) => file.key);
  const work = { ...NOTHING, files, withdraw: [...new Set(withdraw)], withdraw_from: anew, anew };
  return window === undefined ? work : withinWindow(survey, work, window);
}

/** Files whose rows may be missing in what is made of them. */
function withoutClaim(files: Work['files']): Work['files'] {
  return new Map([...files].map(([model, list]) => [model, list.map(({ ingested: _, ...file }) => file)]));
}

/** Throws InvalidInput where a file that is named was not set aside. */
function findAside(
  { spec, aside }: Pick<Survey, 'spec' | 'aside'>,
  { status, files }: Retry,
): ReadonlyMap<string, readonly LandedFile[]> {
  const byModel = new Map<string, LandedFile[]>();
  const named = (source: string, key: string): string[] =>
    (files ?? []).filter((name) => key === name || key.endsWith(`/${source}/${name}`));
  const missing = new Set(files ?? []);
  for (const one of aside) {
    const names = named(one.source, one.file.key);
    if (files !== undefined && names.length === 0) continue;
    if (one.status !== (status ?? (files === undefined ? 'suspended' : one.status))) continue;
    for (const name of names) missing.delete(name);
    for (const model of one.models) byModel.set(model, [...(byModel.get(model) ?? []), one.file]);
  }
  if (missing.size > 0) {
    throw new InvalidInput(
      `not set aside in ${spec.name}: ${[...missing].join(', ')}; expected files that \`strata files list ${spec.name}\` names as suspended or rejected`,
    );
  }
  return byModel;
}

function findKeyed(spec: PipelineSpec, table: string): string {
  const keyed = spec.models.filter(isKeyed);
  const model = keyed.find((m) => fullName(tableIdOf(spec, m)) === table);
  if (model !== undefined) return model.id;
  const known = keyed.map((m) => fullName(tableIdOf(spec, m))).join(', ');
  throw new InvalidInput(
    `cannot rebuild ${table}: expected a keyed table of ${spec.name}, one of ${known || '(none)'}`,
  );
}
