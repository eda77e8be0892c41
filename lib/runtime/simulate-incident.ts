import { constants } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InvalidInput } from '../core/errors.ts';
import type { RunResult } from '../core/run.ts';
import { sourcePrefix } from '../core/seeds.ts';
import type { Expectation, PipelineSpec } from '../core/spec.ts';
import type { StatusFacts } from '../core/status-facts.ts';
import { listSource } from '../lake/ops/list-landed.ts';
import type { Log } from '../ports.ts';
import { collectFacts } from '../query/status/status-facts.ts';
import { apart } from './apart.ts';
import { type LocalLake, openLocalLake, runPipeline } from './local.ts';

/** What became of a simulated incident: the run that failed, the alert of it, the run that mended it, and how the pipeline did in between and after. */
export type SimulatedIncident = {
  readonly pipeline: string;
  /** Of bronze, as many as were copied. */
  readonly files: number;
  readonly bytes: number;
  readonly failed: RunResult;
  readonly alert: { readonly subject: string; readonly message: string } | null;
  readonly during: StatusFacts;
  readonly recovered: RunResult;
  readonly after: StatusFacts;
  /** By which the figures are to be read: the moments after either run. */
  readonly at: { readonly during: number; readonly after: number };
};

/** The latest files of each source, as far as they fit; at least one. */
const MOST_BYTES = 64 * 2 ** 20;
const PREFIX = 'strata-incident-';

/** No table meets it. */
const BROKEN: Expectation = {
  kind: 'rowCount',
  name: 'simulated_incident',
  policy: 'fail',
  min: Number.MAX_SAFE_INTEGER,
  max: null,
};

/**
 * Lets a run of a pipeline fail by an expectation that nothing meets, and mends it, in a lake of its own below the folder for temporary
 * files, which is gone afterwards: with the latest files of each source, and the tables of other pipelines that it reads. The lake itself
 * is read and nothing else, no webhook is told, and nothing is served. Throws InvalidInput for a pipeline of which nothing has landed.
 */
export async function simulateIncident(lake: LocalLake, pipeline: string, log: Log): Promise<SimulatedIncident> {
  const spec = apart(await lake.deps.specs(pipeline));
  const root = await mkdtemp(join(tmpdir(), PREFIX));
  try {
    const copied = await copyPart(lake, spec, root);
    let alert: SimulatedIncident['alert'] = null;
    const noting: Log = {
      warn: () => undefined,
      info(event, fields = {}) {
        if (event === 'alert') alert = { subject: String(fields['subject']), message: String(fields['message']) };
        else log.info(event, fields);
      },
    };
    const { deps } = await openLocalLake({ root, pipelines: lake.pipelines, log: noting });
    await mkdir(deps.settings.scratch, { recursive: true });
    const run = async (now: PipelineSpec): Promise<Pick<SimulatedIncident, 'during' | 'failed'> & { at: number }> => {
      const those = { ...deps, specs: async (name: string) => (name === pipeline ? now : lake.deps.specs(name)) };
      const answer = await runPipeline(those, { pipeline, maintain: false });
      if (answer.kind !== 'ended') throw new InvalidInput(`the incident could not be simulated: ${answer.kind}`);
      const during = await collectFacts({ ...those, specs: async () => spec }, pipeline);
      return { failed: answer.result, during, at: deps.clock.now().getTime() };
    };
    const broken = await run(withBroken(spec));
    const mended = await run(spec);
    return {
      pipeline,
      ...copied,
      failed: broken.failed,
      alert,
      during: broken.during,
      recovered: mended.failed,
      after: mended.during,
      at: { during: broken.at, after: mended.at },
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function withBroken(spec: PipelineSpec): PipelineSpec {
  return { ...spec, models: spec.models.map((model) => ({ ...model, expect: [...model.expect, BROKEN] })) };
}

type Copied = Pick<SimulatedIncident, 'files' | 'bytes'>;

/** Puts the pipeline's latest files, and what it reads of others, into another lake. */
async function copyPart({ deps, root }: LocalLake, spec: PipelineSpec, to: string): Promise<Copied> {
  let [files, bytes] = [0, 0];
  for (const source of spec.sources.filter(({ seed }) => seed === undefined)) {
    const found: { key: string; size: number }[] = [];
    for await (const { key, size } of listSource(deps, spec.name, source)) found.push({ key, size });
    for (const { key, size } of latestOf(found, MOST_BYTES)) {
      await copyTree(join(root, key), join(to, key));
      [files, bytes] = [files + 1, bytes + size];
    }
  }
  const own = spec.sources.map((source) => `${sourcePrefix(spec.name, source)}`);
  if (files === 0 && (spec.others ?? []).length === 0) {
    throw new InvalidInput(
      `there is nothing to simulate an incident of ${spec.name} with: ${own.join(', ')} have no file; land one first`,
    );
  }
  for (const other of new Set((spec.others ?? []).map((table) => table.pipeline))) {
    for (const zone of ['silver', 'gold', 'ops']) await copyTree(join(root, zone, other), join(to, zone, other));
  }
  return { files, bytes };
}

/** The last files by name that have so many bytes together, or the last one alone. */
export function latestOf<File extends { readonly key: string; readonly size: number }>(
  files: readonly File[],
  bytes: number,
): readonly File[] {
  const sorted = files.toSorted((a, b) => (a.key < b.key ? 1 : -1));
  let sum = 0;
  const many = sorted.findIndex(({ size }) => {
    sum += size;
    return sum > bytes;
  });
  return many < 0 ? sorted : sorted.slice(0, Math.max(1, many));
}

/** Shares the blocks of files where the disk can. */
async function copyTree(from: string, to: string): Promise<void> {
  if ((await stat(from).catch(() => undefined)) === undefined) return;
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
}
