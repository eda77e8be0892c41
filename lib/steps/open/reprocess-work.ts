import type { Reprocess } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { LandedFile } from '../../core/run.ts';
import { sourcePrefix } from '../../core/seeds.ts';
import type { PipelineSpec, SilverModel, SourceSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { requireReleased } from '../../lake/gate/four-eyes.ts';
import { findTaken, type Taken } from '../../lake/ops/ledger.ts';
import { landedFile, listSource } from '../../lake/ops/list-landed.ts';
import { type Survey, takenFor } from '../../lake/ops/survey.ts';
import type { ObjectInfo } from '../../ports.ts';
import { checkGone } from './check-gone.ts';
import { NOTHING, type Work } from './work.ts';

/**
 * Files of a source that are taken again, each in the place of what was taken under its name. Keyed tables withdraw the events
 * that they brought. Of other tables rows of other files may come back that theirs had kept out or replaced: these are made
 * anew from all that runs have taken for them, and with them the others of the source. What waits is left to the next run.
 */
export async function reprocessWork(
  deps: StepDeps,
  { spec, tables }: Pick<Survey, 'spec' | 'tables'>,
  request: Reprocess,
): Promise<Work> {
  const source = sourceOf(spec, request.source);
  const chosen = await findLanded(deps, spec, source, request);
  const keys = new Set(chosen.map(({ key }) => key));
  if (spec.promote !== undefined) await requireReleased(deps, spec.name, [...keys]);
  const models = spec.models.filter(
    (model): model is SilverModel => model.layer === 'silver' && model.from === source.name,
  );
  const existing = new Set(models.map(({ id }) => id).filter((id) => tables.get(id) !== undefined));
  await using session = await deps.engine.open(deps.settings);
  const taken = await findTaken(deps, session, spec, takenFor(spec, models, existing));
  const ownFiles = (id: string): readonly LandedFile[] => chosen.map((file) => inPlace(file, id, taken));
  if (models.every(isKeyed)) {
    // One that is not there is made of all that has landed, by the next plain run.
    const files = [...existing].map((id) => [id, ownFiles(id).map(({ batch: _, ...file }) => file)] as const);
    return { ...NOTHING, files: new Map(files), withdraw: [...keys] };
  }
  checkGone(spec, { gone: taken.gone.filter(({ key }) => !keys.has(key)) }, `reprocess ${source.name} of`);
  const othersOf = (id: string): readonly LandedFile[] =>
    (taken.files.get(id) ?? []).filter(({ key }) => !keys.has(key));
  const files = models.map(({ id }) => [id, [...othersOf(id), ...ownFiles(id)].sort(byPlace)] as const);
  return {
    ...NOTHING,
    files: new Map(files),
    withdraw: [...new Set([...keys, ...models.flatMap(({ id }) => othersOf(id).map(({ key }) => key))])],
    anew: models.map(({ id }) => id),
  };
}

/** A content that a run has taken before keeps its place; another takes the place of the last that came under its name. */
function inPlace(file: LandedFile, model: string, { files, places, next }: Taken): LandedFile {
  const last = next.get(model) ?? 0;
  const known = files.get(model)?.find(({ key, etag }) => key === file.key && etag === file.etag);
  if (known !== undefined) return { ...file, batch: known.batch ?? last };
  const place = places.get(model)?.get(file.key);
  return place === undefined ? { ...file, batch: last } : { ...file, batch: place.batch, place: place.run };
}

/** As runs took them: a batch after the other, and each in the order of names. */
function byPlace(a: LandedFile, b: LandedFile): number {
  return (a.batch ?? 0) - (b.batch ?? 0) || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
}

function sourceOf({ name, sources }: PipelineSpec, source: string): SourceSpec {
  const found = sources.find((one) => one.name === source);
  if (found !== undefined) return found;
  const known = sources.map((one) => one.name).join(', ');
  throw new InvalidInput(`no source ${JSON.stringify(source)} in ${name}: expected one of ${known}`);
}

async function findLanded(
  deps: StepDeps,
  spec: PipelineSpec,
  source: SourceSpec,
  request: Reprocess,
): Promise<readonly LandedFile[]> {
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
