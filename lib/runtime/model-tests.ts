import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { createFileCatalog } from '../adapters/catalog/file.ts';
import { createMemoryStore } from '../adapters/store/memory.ts';
import { readModelTests } from '../compile/model-tests.ts';
import { createNotes } from '../compile/notes.ts';
import { parseYaml } from '../compile/test-yaml.ts';
import { InvalidInput, type Problem } from '../core/errors.ts';
import type { ModelTest } from '../core/model-test.ts';
import { modelId, type PipelineSpec } from '../core/spec.ts';
import { createDuckDbEngine } from '../engine/duckdb.ts';
import { parseMetadata, renderMetadata } from '../iceberg/json.ts';
import type { StepDeps } from '../lake/deps.ts';
import { type Difference, type OpenTestLake, runModelTest } from '../model-tests/run-test.ts';
import { type Selectors, selectModels } from '../plan/select-models.ts';
import type { Engine, Log } from '../ports.ts';
import { apart } from './apart.ts';
import { importDefault, listPipelines, pipelineLoader } from './load-pipeline.ts';
import { runPipeline } from './local.ts';
import { workMemory } from './machine.ts';
import { ownScratch, TEMP_PREFIX } from './scratch.ts';

export type ModelTestsOptions = {
  readonly pipelines: string;
  /** One pipeline; left out: all of them. */
  readonly pipeline?: string;
  /** Of the models whose tests run; left out: all. */
  readonly selectors?: Selectors;
  readonly memoryBytes?: number;
  readonly log: Log;
  /** Hears of every test as it ends. */
  readonly onTest?: (outcome: TestOutcome) => void;
};

export type TestOutcome = {
  readonly pipeline: string;
  readonly model: string;
  readonly test: string;
  readonly file: string;
  readonly differences: readonly Difference[];
  /** Milliseconds. */
  readonly ms: number;
};

/** Below a pipeline's folder. */
const FOLDER = 'test';
const NAMES = /^(.+)\.(?:ya?ml|test\.ts)$/;

/**
 * Runs the tests of models, each on an empty lake in memory. Nothing is read or written of any other lake. Throws
 * InvalidInput with all that is wrong in the files of tests of a pipeline.
 */
export async function runModelTests(options: ModelTestsOptions): Promise<readonly TestOutcome[]> {
  const engine = createDuckDbEngine();
  const scratch = ownScratch(tmpdir(), TEMP_PREFIX);
  const { short: _short, ...memory } = workMemory(options);
  // One after the other, so that a test that is repeated is the same to the byte.
  const settings = { ...memory, unitsAtOnce: 1, scratch, folders: [scratch] };
  const outcomes: TestOutcome[] = [];
  const names = options.pipeline === undefined ? await listPipelines(options.pipelines) : [options.pipeline];
  const load = pipelineLoader(engine, settings, options.pipelines);
  for (const name of names) {
    const spec = await load(name);
    const selected = new Set(selectModels(spec, options.selectors ?? {}));
    const tests = await loadTests(engine, settings, spec, join(options.pipelines, name));
    for (const test of tests.filter(({ model }) => selected.has(modelId(model)))) {
      const started = performance.now();
      const differences = await runModelTest(test, spec, testLakes(engine, settings, options.log));
      const ms = Math.round(performance.now() - started);
      const outcome = { pipeline: name, model: modelId(test.model), test: test.name, file: test.file, differences, ms };
      options.onTest?.(outcome);
      outcomes.push(outcome);
    }
  }
  return outcomes;
}

type Settings = Pick<StepDeps['settings'], 'memoryBytes' | 'threads' | 'scratch' | 'folders'>;

async function loadTests(
  engine: Engine,
  settings: Settings,
  spec: PipelineSpec,
  folder: string,
): Promise<readonly ModelTest[]> {
  const paths = await testFiles(join(folder, FOLDER));
  if (paths.length === 0) return [];
  const tests: ModelTest[] = [];
  const problems: Problem[] = [];
  await using session = await engine.open(settings);
  for (const path of paths) {
    const file = relative(process.cwd(), path);
    const notes = createNotes(file);
    const [, stem = ''] = NAMES.exec(path.slice(path.lastIndexOf(sep) + 1)) ?? [];
    const value = path.endsWith('.ts')
      ? await importDefault(path, file)
      : parseYaml(await readFile(path, 'utf8'), notes);
    if (notes.found.length === 0) tests.push(...(await readModelTests(value, stem, file, { spec, session, notes })));
    problems.push(...notes.found);
  }
  const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
  if (problems.length > 0) throw new InvalidInput(`the tests of ${spec.name} have ${count}:`, problems);
  return tests;
}

async function testFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && NAMES.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A store, a catalog and a clock of each test's own; ids count, so that a test repeated is the same to the byte. */
function testLakes(engine: Engine, settings: Settings, log: Log): OpenTestLake {
  return (spec, now) => {
    const store = createMemoryStore({ scratch: settings.scratch, now: () => now().getTime() });
    let ids = 0;
    const next = (): number => {
      ids += 1;
      return ids;
    };
    const deps: StepDeps = {
      store,
      catalog: createFileCatalog(store, { parse: parseMetadata, render: renderMetadata }),
      engine,
      clock: { now },
      ids: {
        unique: () => String(next()).padStart(6, '0'),
        uuid: () => `00000000-0000-4000-8000-${String(next()).padStart(12, '0')}`,
        snapshot: () => BigInt(next()),
      },
      log,
      specs: async () => apart(spec),
      wait: async () => {},
      isGone: () => false,
      settings: { ...settings, holder: () => 'test', leaseMs: 60_000 },
    };
    return {
      deps,
      async run(runId, vars) {
        const answer = await runPipeline(deps, { pipeline: spec.name, runId, vars, retryIntervalMs: 0 });
        if (answer.kind === 'locked') throw new RangeError(answer.message);
        return answer.kind === 'ended' ? answer.result : undefined;
      },
    };
  };
}
