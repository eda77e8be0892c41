import type { LandedFile, RunRef } from '../../core/run.ts';
import type { PipelineSpec, SourceSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { landedFile } from '../../lake/ops/list-landed.ts';
import { runFolder } from '../../lake/run/run-folder.ts';
import type { Work } from './work.ts';

/**
 * Lands seeds that a run is to take and that are not in the store yet: below `bronze/<pipeline>/_seeds/`, or in the folder of a
 * dry run, of which nothing stays. Its name is its content, so that it can be done again.
 */
export async function landSeeds(
  deps: Pick<StepDeps, 'store'>,
  run: RunRef,
  spec: PipelineSpec,
  files: Work['files'],
): Promise<Work['files']> {
  const landed = new Map(files);
  for (const source of spec.sources) {
    if (source.seed === undefined) continue;
    const readers = spec.models.filter((model) => model.layer === 'silver' && model.from === source.name);
    const waiting = readers.filter(({ id }) => files.get(id)?.some(({ etag }) => etag === '') === true);
    const [file] = waiting.flatMap(({ id }) => files.get(id)?.filter(({ etag }) => etag === '') ?? []);
    if (file === undefined) continue;
    const there = await landSeed(deps, run, source, file);
    for (const { id } of waiting)
      landed.set(
        id,
        (files.get(id) ?? []).map((one) => (one.etag === '' ? { ...one, ...there } : one)),
      );
  }
  return landed;
}

async function landSeed(
  { store }: Pick<StepDeps, 'store'>,
  run: RunRef,
  { name, seed }: SourceSpec,
  file: LandedFile,
): Promise<LandedFile> {
  const key = run.dry_run ? runFolder.seed(run, seed?.name ?? name) : file.key;
  if (seed?.text === undefined) throw new RangeError(`the seed ${name} was compiled without its text`);
  await store.write(key, new TextEncoder().encode(seed.text), { kind: 'absent' });
  const info = await store.head(key);
  if (info === undefined) throw new RangeError(`the seed ${key} is gone as soon as it was landed`);
  return landedFile(info);
}
