import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFileCatalog } from '../adapters/catalog/file.ts';
import { createPostgresSink } from '../adapters/postgres/sink.ts';
import { isGone, thisProcess } from '../adapters/store/holder.ts';
import { createLocalStore } from '../adapters/store/local.ts';
import { type Asked, askedOf } from '../core/asked.ts';
import { InvalidInput } from '../core/errors.ts';
import { NONE_SKIPPED } from '../core/objects.ts';
import type { UnitProfile } from '../core/profile.ts';
import type { RunResult, RunState } from '../core/run.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { createDuckDbEngine } from '../engine/duckdb.ts';
import { createSpillMeter } from '../engine/spill.ts';
import { parseMetadata, renderMetadata } from '../iceberg/json.ts';
import type { StepDeps } from '../lake/deps.ts';
import { checkRunId, readJson, readJsonIfAny, runFolder } from '../lake/run/run-folder.ts';
import { failedResult } from '../lake/run/run-records.ts';
import type { Clock, Ids, JsonValue, Log } from '../ports.ts';
import { awaitingAnswer } from '../remote/awaiting-answer.ts';
import type { CompactionAnswer, CompactionRequest } from '../remote/compaction.ts';
import type { EarlierRun, RunAnswer, RunRequest } from '../remote/run-request.ts';
import { awaitTurn } from './await-turn.ts';
import { checkAsked } from './check-asked.ts';
import { compactTables } from './compact.ts';
import { defaultRunId, executeRun } from './execute-run.ts';
import { medallionHandlers } from './handlers.ts';
import { sleepUnless } from './interrupt.ts';
import { checkFolder, requireFolder, requireReadablePlace } from './lake-folder.ts';
import { leaseMs } from './lease.ts';
import { lineageOf } from './lineage/teller.ts';
import { type OtherFiles, pipelineLoader } from './load-pipeline.ts';
import { localEngines } from './local-engines.ts';
import { bootId, tooLittleMemory, workMemory } from './machine.ts';
import { maintainAfter } from './maintain-after.ts';
import { peakMemory } from './peak-memory.ts';
import { profilingEngine } from './profile.ts';
import { ownScratch, sweepScratch, TEMP_PREFIX } from './scratch.ts';

/** Below the lake's folder: temporary files of the processes that write to it. */
const SCRATCH = '.strata-scratch';

export type LocalOptions = {
  /** The lake's folder; created on first use. */
  readonly root: string;
  readonly pipelines: string;
  /** Location under which readers find the lake's folder; a `file://` URL of it by default. */
  readonly locationBase?: string;
  /** The lake is to be found at another location base than the one it was made with. */
  readonly rebase?: boolean;
  /** For looking only: nothing below `root` is made or changed, and `root` need not exist. */
  readonly readOnly?: boolean;
  readonly log: Log;
  /** Files of pipelines that others take the place of. */
  readonly instead?: OtherFiles;
  /** Keeps what DuckDB says of each statement; left out: nothing is kept. */
  readonly profile?: boolean;
  readonly memoryBytes?: number;
  readonly threads?: number;
  /** Milliseconds after which a lock that is not renewed may be taken; by default as STRATA_LEASE_MS says, or a minute. */
  readonly leaseMs?: number;
};

/** A lake in a folder of this machine. */
export type LocalLake = {
  readonly deps: StepDeps;
  readonly root: string;
  readonly pipelines: string;
  /** Of the sessions so far, where they are profiled. */
  readonly profiles: readonly UnitProfile[];
  run(request: RunRequest): Promise<RunAnswer>;
  /** Rewrites files of tables. With `dryRun` the lake may be one for looking only. */
  compact(request: CompactionRequest): Promise<CompactionAnswer>;
  /** Makes the lake's folder. Throws InvalidInput where that cannot be. */
  make(): Promise<void>;
};

/** The composition root of the laptop: local store, file catalog, steps in this process. */
export async function openLocalLake(options: LocalOptions): Promise<LocalLake> {
  const root = resolve(options.root);
  const readOnly = options.readOnly ?? false;
  if (readOnly) await checkFolder(options.root, '--root');
  const scratch = readOnly ? ownScratch(tmpdir(), TEMP_PREFIX) : ownScratch(join(root, SCRATCH));
  if (readOnly) await sweepScratch(tmpdir(), TEMP_PREFIX);
  const store = createLocalStore({ root, readOnly, ...(await locationOf(root, options)) });
  const spill = createSpillMeter();
  const plain = createDuckDbEngine({ reuse: true, spill });
  const { engine, profiles } = profilingEngine(plain, randomIds, options.profile === true);
  const holder = thisProcess();
  const { short, ...memory } = workMemory(options);
  const settings = {
    ...memory,
    scratch,
    folders: [root, scratch],
    holder: () => holder,
    leaseMs: options.leaseMs ?? leaseMs(process.env['STRATA_LEASE_MS']),
    boot: bootId(),
    sinceBoot: () => Number(process.hrtime.bigint() / 1_000_000n),
  };
  // Far from the lake, which a mistake in a pipeline must not bring into being.
  const compileScratch = readOnly ? scratch : ownScratch(tmpdir(), TEMP_PREFIX);
  const compiling = { ...settings, folders: [compileScratch], scratch: compileScratch };
  const load = pipelineLoader(createDuckDbEngine(), compiling, options.pipelines, options.instead);
  const compiled = new Map<string, Promise<PipelineSpec>>();
  const deps: StepDeps = {
    store,
    catalog: createFileCatalog(store, { parse: parseMetadata, render: renderMetadata }, { readOnly }),
    engine,
    clock: systemClock,
    ids: randomIds,
    log: options.log,
    specs: (name) => {
      const known = compiled.get(name) ?? load(name);
      compiled.set(name, known);
      return known;
    },
    wait: (ms) => sleep(ms),
    peakMemory,
    watchSpill: spill.watch,
    isGone,
    secret,
    ...lineageOf(store),
    sink: (name) => createPostgresSink({ secret: name, read: secret }),
    ...localEngines(process.env, store),
    settings,
  };
  /** What is wrong with a request shows before anything is made. */
  const begin = async ({
    runId,
    pipeline,
    ...asked
  }: Pick<RunRequest, 'runId' | 'pipeline'> & Asked): Promise<void> => {
    if (runId !== undefined) checkRunId(runId);
    checkAsked(await deps.specs(pipeline), asked);
    if (short) throw tooLittleMemory();
    await requireFolder(options.root, '--root');
    await sweepScratch(join(root, SCRATCH));
    await mkdir(scratch, { recursive: true });
  };
  return {
    deps,
    root,
    pipelines: options.pipelines,
    profiles,
    async compact(request) {
      if (request.dryRun !== true) await begin(request);
      return compactTables(deps, request);
    },
    async run(request) {
      await begin(request);
      const { maintain = false } = request;
      const answer = await awaitTurn(() => runPipeline(deps, { ...request, maintain }), request.waitMs ?? 0, {
        wait: (ms) => sleepUnless(ms, request.interrupted),
        now: () => deps.clock.now().getTime(),
        onWait: request.onWait ?? (() => undefined),
      });
      if (answer.kind !== 'ended' || answer.due === undefined) return answer;
      return { ...answer, maintenance: await maintainAfter(deps, request, answer.due) };
    },
    make: () => requireFolder(options.root, '--root'),
  };
}

const secret = async (name: string): Promise<string | undefined> => process.env[name];

const systemClock: Clock = { now: () => new Date() };

const randomIds: Ids = {
  unique: () => randomBytes(6).toString('hex'),
  uuid: () => randomUUID(),
  snapshot: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
};

/** A lake remembers the location it was made with, since its tables' metadata is full of it. */
async function locationOf(
  root: string,
  { locationBase: wanted, readOnly = false, rebase = false }: LocalOptions,
): Promise<{ locationBase?: string }> {
  const path = join(root, 'lake.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) {
    if (wanted === undefined) {
      if (!readOnly) await requireReadablePlace(root);
      return {};
    }
    if (readOnly) return { locationBase: wanted };
    if (!rebase && (await stat(join(root, 'ops')).catch(() => undefined)) !== undefined) {
      throw new InvalidInput(
        `the lake at ${root} was made without a location base, and its tables name files by file:// URLs; got ${wanted}. ` +
          'Use it without one, make a new lake, or give this one a base: strata relocate --location-base',
      );
    }
    await requireFolder(root, '--root');
    await writeFile(path, `${JSON.stringify({ location_base: wanted })}\n`);
    return { locationBase: wanted };
  }
  const known = String((JSON.parse(text) as { location_base?: unknown }).location_base);
  if (wanted === undefined || wanted === known) return { locationBase: known };
  if (!rebase) {
    throw new InvalidInput(
      `the lake at ${root} was made with location base ${known}; got ${wanted}. To give it this one: strata relocate --location-base`,
    );
  }
  if (!readOnly) await writeFile(path, `${JSON.stringify({ location_base: wanted })}\n`);
  return { locationBase: wanted };
}

/** Runs the state machine, which finishes an unfinished run first and then opens the one that was asked for. */
export async function runPipeline(deps: StepDeps, request: RunRequest): Promise<RunAnswer> {
  const runId = request.runId ?? defaultRunId(deps);
  await deps.specs(request.pipeline);
  const { interrupted, onEvent, retryIntervalMs } = request;
  const { outcome, opened, worked, failure } = await executeRun(deps, {
    machine: 'medallion',
    handlers: medallionHandlers,
    opens: 'Open',
    ends: ['Finish', 'Fail', 'AwaitDecision'],
    input: openInput(request, runId),
    run: { pipeline: request.pipeline, run_id: runId },
    ...(interrupted === undefined ? {} : { interrupted }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(retryIntervalMs === undefined ? {} : { retryIntervalMs }),
  });
  if (outcome.status === 'FAILED') {
    const loss = failure?.failure?.lost;
    if (loss !== undefined) return { kind: 'locked', message: loss };
    const error = failure?.error ?? { Error: outcome.error, Cause: outcome.cause };
    return failed(deps, request, opened, { name: error.Error, message: error.Cause });
  }
  const state = outcome.output as RunState;
  const waits = awaitingAnswer(state, request.pipeline);
  if (waits !== undefined) return waits;
  if (state.status === 'nothing') {
    const { skipped = NONE_SKIPPED, suspended = [], removed = [], branch_done: branch, branches } = state;
    const left = {
      ...(branch && { branch }),
      ...(branches && { branches }),
      ...(await earlierRuns(deps, request, worked)),
    };
    return { kind: 'nothing', pipeline: request.pipeline, runId, skipped, suspended, removed, ...left };
  }
  const result = await readJson<RunResult>(deps.store, runFolder.result(state.run));
  const due = state.maintenance;
  const before = await earlierRuns(
    deps,
    request,
    worked.filter((id) => id !== state.run.run_id),
  );
  return { kind: 'ended', result, again: state.status === 'done', ...before, ...(due === undefined ? {} : { due }) };
}

/** What became of runs that a run of a branch did first. */
async function earlierRuns(
  { store }: StepDeps,
  { pipeline, branch }: RunRequest,
  runs: readonly string[],
): Promise<{ readonly before?: readonly EarlierRun[] }> {
  if (branch === undefined || runs.length === 0) return {};
  const results: EarlierRun[] = [];
  for (const run_id of runs) {
    const found = await readJsonIfAny<RunResult>(store, runFolder.result({ pipeline, run_id, dry_run: false }));
    if (found === undefined) continue;
    const { status, branch: period, error } = found;
    results.push({ run_id, status, error, ...(period && { branch: period }) });
  }
  return { before: results };
}

function openInput(request: RunRequest, runId: string): JsonValue {
  return {
    pipeline: request.pipeline,
    run_id: runId,
    dry_run: request.dryRun ?? false,
    ...(request.maintain === false ? { maintain: false } : {}),
    ...(askedOf(request) as { readonly [asked: string]: JsonValue }),
  };
}

async function failed(
  deps: StepDeps,
  request: RunRequest,
  runId: string,
  error: { readonly name: string; readonly message: string },
): Promise<RunAnswer> {
  if (error.name === 'LockHeld') return { kind: 'locked', message: error.message };
  const run = { pipeline: request.pipeline, run_id: runId, dry_run: request.dryRun ?? false };
  const recorded = await readJsonIfAny<RunResult>(deps.store, runFolder.result(run));
  const begun = recorded !== undefined || (await deps.store.head(runFolder.plan(run))) !== undefined;
  const refused = error.name === 'InvalidInput' && !begun ? ({ refused: true } as const) : {};
  return { kind: 'ended', result: recorded ?? failedResult(run, error, 0), again: false, ...refused };
}
