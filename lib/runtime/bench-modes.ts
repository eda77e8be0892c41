import { constants } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BenchMode, parseBenchModes } from '../compile/bench-modes.ts';
import { InvalidInput } from '../core/errors.ts';
import type { RunResult } from '../core/run.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { diffSides, type TableDiff } from '../query/diff/diff-tables.ts';
import { usualKey } from '../query/diff/key-of-table.ts';
import { sideAt } from '../query/diff/side.ts';
import { findTable } from '../query/find-table.ts';
import type { RanMode } from '../report/bench.ts';
import { apart } from './apart.ts';
import { type LocalLake, openLocalLake, runPipeline } from './local.ts';

export type BenchRequest = {
  readonly pipeline: string;
  /** Names of modes; the others are compared with the first. */
  readonly modes: readonly string[];
  readonly rounds: number;
  readonly onRun?: (mode: string, round: number) => void;
};

const SILENT = { info: () => undefined, warn: () => undefined };

/**
 * Runs a pipeline in several modes over the files that have landed, each time in a new lake below the folder for temporary files, in turns.
 * First each mode is run once, and its tables are compared with those of the first mode, all rows of them; modes that differ, or
 * fail, are not run again. Then there are `rounds` rounds of the others. The lake itself is not written, nobody is told, and nothing is served.
 * Throws InvalidInput for modes that the pipeline's `bench.yml` does not have, or that cannot be.
 */
export async function benchModes(lake: LocalLake, request: BenchRequest): Promise<readonly RanMode[]> {
  const { pipeline, rounds, onRun = () => undefined } = request;
  const spec = await lake.deps.specs(pipeline);
  const file = join(lake.pipelines, pipeline, 'bench.yml');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw new InvalidInput(`${pipeline} has no modes: expected ${file}, with modes by name`);
  const modes = parseBenchModes(text, file, request.modes);
  const instead = new Map([...modes].map(([name, mode]) => [name, otherFiles(spec, mode, `${file}: modes.${name}`)]));
  const base = await mkdtemp(join(tmpdir(), 'strata-bench-'));
  const run = (name: string, mode: BenchMode, folder: string) =>
    runOnce(lake, spec, { root: join(base, folder), mode, instead: instead.get(name) ?? {} });
  try {
    const firsts = new Map<string, Ran>();
    for (const [name, mode] of modes) {
      onRun(name, 0);
      firsts.set(name, await run(name, mode, `first-${name}`));
    }
    const differences = await compareAll(spec, firsts);
    const times = new Map<string, RanMode['runs'][number][]>();
    for (let round = 1; round <= rounds; round += 1) {
      for (const [name, mode] of modes) {
        if (firsts.get(name)?.error !== null || (differences.get(name) ?? []).length > 0) continue;
        onRun(name, round);
        const { ms, cpu_ms } = await run(name, mode, 'round');
        times.set(name, [...(times.get(name) ?? []), { ms, cpu_ms }]);
        await rm(join(base, 'round'), { recursive: true, force: true });
      }
    }
    return [...modes.keys()].map((mode) => ({
      mode,
      differences: differences.get(mode) ?? [],
      error: firsts.get(mode)?.error ?? null,
      runs: times.get(mode) ?? [],
    }));
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

/** By paths from the folder of pipelines. */
function otherFiles(spec: PipelineSpec, { sql = {} }: BenchMode, place: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(sql).map(([id, file]) => {
      const own = spec.models.find((model) => model.id === id)?.sqlFile ?? null;
      if (own !== null) return [join(spec.name, own), join(spec.name, file)];
      throw new InvalidInput(
        `${place}.sql.${id}: got no model with an SQL file of its own; expected one of ${spec.name}`,
      );
    }),
  );
}

type Ran = { readonly ms: number; readonly cpu_ms: number; readonly error: string | null; readonly lake: LocalLake };
type Place = { readonly root: string; readonly mode: BenchMode; readonly instead: Readonly<Record<string, string>> };

async function runOnce(lake: LocalLake, spec: PipelineSpec, { root, mode, instead }: Place): Promise<Ran> {
  await copyInput(lake, spec, root);
  const { threads, memoryBytes, settings = {} } = mode;
  const own = await openLocalLake({
    ...{ root, pipelines: lake.pipelines, log: SILENT, instead },
    ...(threads === undefined ? {} : { threads }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  });
  await mkdir(own.deps.settings.scratch, { recursive: true });
  const compiled = apart(await own.deps.specs(spec.name));
  const defined = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const changed: PipelineSpec = { ...compiled, settings: { ...compiled.settings, ...defined } };
  const deps = { ...own.deps, specs: async (name: string) => (name === spec.name ? changed : own.deps.specs(name)) };
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  const answer = await runPipeline(deps, { pipeline: spec.name, maintain: false });
  const { user, system } = process.cpuUsage(cpu);
  const ms = performance.now() - from;
  if (answer.kind !== 'ended')
    throw new InvalidInput(`there is nothing to compare modes of ${spec.name} by: land files first`);
  return { ms, cpu_ms: (user + system) / 1_000, error: errorOf(answer.result), lake: own };
}

function errorOf({ status, error }: RunResult): string | null {
  return status === 'SUCCEEDED' ? null : (error?.message ?? status);
}

/** What has landed, and the tables of other pipelines that are read; blocks of files are shared where the disk can. */
async function copyInput({ root }: LocalLake, { name, others = [] }: PipelineSpec, to: string): Promise<void> {
  const read = [...new Set(others.map(({ pipeline }) => pipeline))];
  const folders = [
    `bronze/${name}`,
    ...read.flatMap((other) => ['silver', 'gold', 'ops'].map((zone) => `${zone}/${other}`)),
  ];
  for (const folder of folders) {
    if ((await stat(join(root, folder)).catch(() => undefined)) === undefined) continue;
    await mkdir(dirname(join(to, folder)), { recursive: true });
    await cp(join(root, folder), join(to, folder), { recursive: true, mode: constants.COPYFILE_FICLONE });
  }
}

/** By mode: in what its tables are not those of the first. */
async function compareAll(
  spec: PipelineSpec,
  ran: ReadonlyMap<string, Ran>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const [first, ...others] = [...ran];
  const found = new Map<string, readonly string[]>();
  if (first === undefined || first[1].error !== null) return found;
  for (const [name, one] of others) {
    if (one.error !== null) continue;
    const different: string[] = [];
    for (const { layer, name: table } of spec.models) {
      different.push(...describe(await compareTable(spec, `${spec.name}_${layer}.${table}`, first[1], one)));
    }
    found.set(name, different);
  }
  return found;
}

async function compareTable(spec: PipelineSpec, table: string, first: Ran, other: Ran): Promise<TableDiff> {
  const [from, to] = [
    sideAt(first.lake.deps, await findTable(first.lake.deps.catalog, table), undefined),
    sideAt(other.lake.deps, await findTable(other.lake.deps.catalog, table), undefined),
  ];
  return diffSides(from, to, { key: usualKey(from, to, spec), tolerances: {}, ignore: [], sample: 0 });
}

function describe({ equal, from, rows, duplicates, values, columns }: TableDiff): readonly string[] {
  if (equal) return [];
  const { added, removed, changed } = rows;
  const sums = values.flatMap(({ column, sum }) =>
    sum === null || String(sum.from) === String(sum.to) ? [] : [`sum of ${column} ${sum.from} -> ${sum.to}`],
  );
  const shape = columns.added.length + columns.removed.length > 0 ? ['other columns'] : [];
  const twice = duplicates === null ? [] : ['keys that come more than once'];
  const counts = `${rows.from} rows -> ${rows.to}: ${added} more, ${removed} less${changed === null ? '' : `, ${changed} changed`}`;
  return [[`${from.table}: ${counts}`, ...shape, ...twice, ...sums].join('; ')];
}
