import type { BatchRecipe } from '../../core/batch-recipe.ts';
import { type Diagnosis, partitionsOf, withoutPersonal } from '../../core/diagnosis.ts';
import { InvalidInput } from '../../core/errors.ts';
import { sourcePrefix } from '../../core/seeds.ts';
import type { PipelineSpec, SourceSpec } from '../../core/spec.ts';
import { oneOf } from '../../core/suggest.ts';
import { batchOf, inspectFiles } from '../../lake/batch/batch-files.ts';
import { countFiles } from '../../lake/batch/count-files.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { readLanded } from '../../lake/files/read-landed.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { landedFile, listSource } from '../../lake/ops/list-landed.ts';
import { knowingVars } from '../../lake/run/vars.ts';
import type { ObjectInfo } from '../../ports.ts';
import { createBatchSchema, createBatchView, createParsed, rejectTables } from '../../sql/batch.ts';
import { keepAccepted } from '../../sql/diagnosis/rows.ts';
import type { QueryDeps } from '../deps.ts';
import { USUAL_BUCKETS } from './diagnose-table.ts';
import { dayOfSource, keysOfSource } from './key-columns.ts';
import { type Measured, measureRows } from './measure-rows.ts';

type Deps = StepDeps & Pick<QueryDeps, 'hidesPersonal'>;

/**
 * Diagnoses a source by the rows of all that lies in bronze, as its contract parses them. Throws InvalidInput for an unknown
 * source, and for one without a file that can be read.
 */
export async function diagnoseSource(deps: Deps, spec: PipelineSpec, name: string): Promise<Diagnosis> {
  const source = spec.sources.find((one) => one.name === name);
  if (source === undefined) {
    const known = spec.sources.map((one) => one.name);
    throw new InvalidInput(
      `pipeline ${spec.name} has no source ${JSON.stringify(name)}: expected ${oneOf(name, known)}`,
    );
  }
  const infos: ObjectInfo[] = [];
  for await (const info of listSource(deps, spec.name, source)) infos.push(info);
  const { measured, ...left } = await measureFiles(deps, { spec, source }, infos);
  const prefix = sourcePrefix(spec.name, source);
  const diagnosis: Diagnosis = {
    name: `${spec.name}.${source.name}`,
    kind: 'source',
    at: deps.clock.now().toISOString(),
    ...measured,
    ...left,
    files: infos.length,
    bytes: infos.reduce((sum, { size }) => sum + size, 0),
    partitions: partitionsOf(
      infos.map(({ key, size }) => ({ partition: folderOf(key.slice(prefix.length)), bytes: size })),
    ),
  };
  return deps.hidesPersonal === true ? withoutPersonal(diagnosis) : diagnosis;
}

type Read = { readonly measured: Measured; readonly rejected: number; readonly unreadable: number };

async function measureFiles(
  deps: Deps,
  { spec, source }: { readonly spec: PipelineSpec; readonly source: SourceSpec },
  infos: readonly ObjectInfo[],
): Promise<Read> {
  await using scratch = await openScratch(deps, 'diagnosed');
  const read = await readLanded(deps, infos.map(landedFile), async (landed, borrowed): Promise<Read> => {
    const { readable, rejected } = await inspectFiles(deps, source, landed, borrowed, scratch.folder);
    await using session = await knowingVars(deps, spec).engine.open(deps.settings);
    const records = await countFiles(session, source, readable);
    await session.run(createBatchSchema());
    for (const statement of createParsed(batchOf(source, readable), rejectTables('parse'), RECIPE)) {
      await session.run(statement);
    }
    await session.run(createBatchView(source, RECIPE));
    await session.run(keepAccepted(source));
    const measured = await measureRows(session, {
      columns: source.columns,
      keys: keysOfSource(spec, source),
      day: dayOfSource(spec, source),
      buckets: USUAL_BUCKETS,
      personal: source.columns.filter(({ personal }) => personal === true),
      shown: deps.hidesPersonal !== true,
    });
    const all = [...records.values()].reduce((sum, count) => sum + count, 0);
    return { measured, rejected: all - measured.rows, unreadable: rejected.length };
  });
  return read.value;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** One pass over the files, of which the rows that pass their contract are kept. */
const RECIPE: BatchRecipe = {
  ...{ pass: 'stream', keepsMapped: false, byShape: false, guarded: false, notesFaults: false, hidden: [] },
  ...{ carriesHash: false, equalRows: null, memory: false, poisoned: false, equalKeys: null, added: [] },
};
