import type { Backfill, Reprocess, Retry } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { LandedFile, OpenInput } from '../../core/run.ts';
import { sourcePrefix } from '../../core/seeds.ts';
import type { PipelineSpec, SilverModel } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { isPlain } from '../../lake/ops/due.ts';
import { landedFile, listSource, type Taken } from '../../lake/ops/ledger.ts';
import { filesAnew, type Survey, selectedOf } from '../../lake/ops/survey.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';
import type { ObjectInfo } from '../../ports.ts';

/** What a run takes on: files by source, keyed models to rebuild, bronze files whose events are withdrawn first. */
export type Work = {
  readonly files: ReadonlyMap<string, readonly LandedFile[]>;
  readonly rebuild: readonly string[];
  readonly withdraw: readonly string[];
  /** Silver models to make anew. */
  readonly anew: readonly string[];
};

/** A plain run ingests what waits; a rebuild, a reprocessing and a retry leave waiting files to the next run. */
export async function chooseWork(
  deps: StepDeps,
  survey: Pick<Survey, 'spec' | 'waiting' | 'aside' | 'taken' | 'selection'>,
  input: OpenInput,
): Promise<Work> {
  if (input.rebuild !== undefined) {
    return { ...NOTHING, rebuild: [findKeyed(survey.spec, input.rebuild)] };
  }
  if (input.backfill !== undefined || (survey.taken !== undefined && isPlain(input))) {
    return backfillWork(survey, input.backfill ?? {});
  }
  if (input.retry !== undefined) return { ...NOTHING, files: findAside(survey, input.retry) };
  if (input.reprocess === undefined) return { ...NOTHING, files: survey.waiting };
  checkProvenance(survey.spec, input.reprocess.source);
  const files = await findLanded(deps, survey.spec, input.reprocess);
  return {
    ...NOTHING,
    files: new Map([[input.reprocess.source, files]]),
    withdraw: [...new Set(files.map((f) => f.key))],
  };
}

const NOTHING: Work = { files: new Map(), rebuild: [], withdraw: [], anew: [] };

/** Everything that landed in the sources of the silver models, in the order in which runs took it, and what waits last. */
function backfillWork(
  survey: Pick<Survey, 'spec' | 'waiting' | 'taken' | 'selection'>,
  { allow_missing = false }: Backfill,
): Work {
  const { taken = { files: new Map(), gone: [], next: 0 }, waiting } = survey;
  if (!allow_missing) checkGone(survey.spec, taken);
  const files = filesAnew({ taken, waiting });
  const silver = selectedOf(survey).models.filter((model): model is SilverModel => model.layer === 'silver');
  const anew = silver.filter(({ from }) => taken.files.has(from)).map(({ id }) => id);
  const withdraw = [...taken.files.values()].flat().map((file) => file.key);
  return { ...NOTHING, files, withdraw: [...new Set(withdraw)], anew };
}

/** Throws InvalidInput where tables would lose rows, because the files that brought them are no more. */
function checkGone({ name }: PipelineSpec, { gone }: Taken): void {
  if (gone.length === 0) return;
  const shown = gone
    .slice(0, MOST_NAMED)
    .map(({ key, changed }) => `  ${key}${changed ? ' (has another content now)' : ''}`);
  const more = gone.length > MOST_NAMED ? [`  and ${gone.length - MOST_NAMED} more`] : [];
  throw new InvalidInput(
    [
      `cannot backfill ${name}: ${gone.length} files that were ingested are not in bronze as they were; got nothing there, expected`,
      ...shown,
      ...more,
      'Nothing was done. Restore them, or do without their rows: strata backfill --allow-missing',
    ].join('\n'),
  );
}

const MOST_NAMED = 10;

/** Throws InvalidInput where a file that is named was not set aside. */
function findAside(
  { spec, aside }: Pick<Survey, 'spec' | 'aside'>,
  { status, files }: Retry,
): ReadonlyMap<string, readonly LandedFile[]> {
  const bySource = new Map<string, LandedFile[]>();
  const named = (source: string, key: string): string[] =>
    (files ?? []).filter((name) => key === name || key.endsWith(`/${source}/${name}`));
  const missing = new Set(files ?? []);
  for (const one of aside) {
    const names = named(one.source, one.file.key);
    if (files !== undefined && names.length === 0) continue;
    if (one.status !== (status ?? (files === undefined ? 'suspended' : one.status))) continue;
    for (const name of names) missing.delete(name);
    bySource.set(one.source, [...(bySource.get(one.source) ?? []), one.file]);
  }
  if (missing.size > 0) {
    throw new InvalidInput(
      `not set aside in ${spec.name}: ${[...missing].join(', ')}; expected files that \`strata files list ${spec.name}\` names as suspended or rejected`,
    );
  }
  return bySource;
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

/** Rows can only be withdrawn from tables that know the file of each row. */
function checkProvenance(spec: PipelineSpec, source: string): void {
  if (!spec.sources.some((s) => s.name === source)) {
    const known = spec.sources.map((s) => s.name).join(', ');
    throw new InvalidInput(`no source ${JSON.stringify(source)} in ${spec.name}: expected one of ${known}`);
  }
  for (const model of spec.models) {
    if (model.layer !== 'silver' || model.from !== source || isKeyed(model)) continue;
    throw new InvalidInput(
      `cannot reprocess ${source}: ${fullName(tableIdOf(spec, model))} (${model.mode.kind}) does not know which file its rows came from; ` +
        'only keyed tables (upsert, scd2) do. Land a corrected file under a new name instead',
    );
  }
}

async function findLanded(deps: StepDeps, spec: PipelineSpec, request: Reprocess): Promise<readonly LandedFile[]> {
  const source = spec.sources.find((s) => s.name === request.source) ?? { name: request.source, ignore: [] };
  const prefix = sourcePrefix(spec.name, source);
  const wanted = new Set(request.files ?? []);
  const missing = new Set(wanted);
  const [from, to] = [request.from, request.to].map((time) => (time === undefined ? undefined : instant(time)));
  const landed: ObjectInfo[] = [];
  // What cannot be read has been named by the survey.
  for await (const info of listSource(deps, spec.name, source, () => {})) {
    const file = info.key.slice(prefix.length);
    missing.delete(file);
    if (request.files === undefined || wanted.has(file)) landed.push(info);
  }
  if (missing.size > 0)
    throw new InvalidInput(`not in ${prefix}: ${[...missing].join(', ')}; expected files that have landed`);
  const inTime = ({ modified }: ObjectInfo): boolean =>
    (from === undefined || modified >= from) && (to === undefined || modified < to);
  // What a file contributed is withdrawn whatever upload it came from, so all of its uploads are taken again.
  const chosen = new Set(landed.filter(inTime).map((info) => info.key));
  if (chosen.size === 0) throw new InvalidInput(`no file of ${prefix} landed in that time; nothing to reprocess`);
  return landed.filter((info) => chosen.has(info.key)).map(landedFile);
}

function instant(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw new InvalidInput(`not a time: got ${JSON.stringify(text)}; expected ISO 8601, such as 2026-01-31`);
  return at;
}
