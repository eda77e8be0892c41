import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GlueClient } from '@aws-sdk/client-glue';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createGlueCatalog } from '../../adapters/catalog/glue.ts';
import { createHasEnded } from '../../adapters/executions/has-ended.ts';
import { createS3Store } from '../../adapters/store/s3.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { HeldRun } from '../../core/run.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { StepName } from '../../core/states.ts';
import { allowedBytes, threadsOf } from '../../core/worker-memory.ts';
import { createDuckDbEngine } from '../../engine/duckdb.ts';
import { createSpillMeter } from '../../engine/spill.ts';
import { parseMetadata, renderMetadata } from '../../iceberg/json.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { fenced } from '../../lake/run/fence.ts';
import { keepLock } from '../../lake/run/keep-lock.ts';
import type { JsonValue, Log } from '../../ports.ts';
import { counted } from '../counted.ts';
import { lineageOf } from '../lineage/teller.ts';
import { peakMemory } from '../peak-memory.ts';
import { explainCapacity } from './capacity.ts';
import { lambdaEngines } from './engines.ts';
import { type FunctionEnvironment, parseEnvironment } from './environment.ts';
import { LEASE_MS, RENEW_MS } from './lease.ts';
import { withFreshScratch } from './scratch.ts';
import { type Invocation, instrument, type LambdaHandler } from './telemetry.ts';

/** Made once for each environment of a function and used by all its calls. */
const clients = {
  s3: new S3Client({ maxAttempts: 1, requestHandler: CONNECTIONS }),
  glue: new GlueClient({ requestHandler: CONNECTIONS }),
};
const spill = createSpillMeter();
const engine = createDuckDbEngine({ spill });
/** Made when first needed: only Open asks, and seldom. */
let sfn: SFNClient | undefined;

export type WorkerStep<Input> = {
  readonly name: StepName;
  /** Throws for an event that is not the input of this step. */
  readonly parse: (event: unknown) => Input;
  /** The run that a call works on. */
  readonly runOf: (input: Input) => HeldRun;
  readonly run: (input: Input, deps: StepDeps, invocation: Invocation) => Promise<JsonValue>;
  /** What is done once the step has ended well, be the lock another's by now. */
  readonly after?: (run: HeldRun, deps: StepDeps, invocation: Invocation) => Promise<void>;
};

/**
 * The Lambda handler of a step that works on data: S3 for the store, Glue for the catalog, DuckDB for the engine. The
 * lock of the run is renewed while the step works.
 */
export function workerHandler<Input>(step: WorkerStep<Input>): LambdaHandler {
  return instrument(step.name, async (event, invocation) => {
    const environment = parseEnvironment(process.env);
    const input = step.parse(event);
    const run = step.runOf(input);
    return withFreshScratch(environment.tmp, async (scratch) => {
      const deps = {
        ...workerDeps(environment, scratch, invocation.log),
        remainingMs: () => invocation.context.getRemainingTimeInMillis(),
      };
      try {
        const kept = { ...run, epoch: () => run.epoch };
        const work = (lost: AbortSignal): Promise<JsonValue> => {
          // A run that has finished, and is only asked again, has no lock to lose.
          if (step.name !== 'Finish' && step.name !== 'FinishRewrite') lost.throwIfAborted();
          return step.run(input, stepDeps(counted(deps), run), invocation);
        };
        const answer = await keepLock(deps, kept, work, RENEW_MS);
        await step.after?.(run, deps, invocation);
        return answer;
      } catch (cause) {
        throw explainCapacity(step.name, environment, cause);
      }
    });
  });
}

/** A run that is being opened has no lock yet to be held to; Open sees to that. */
function stepDeps(deps: StepDeps, run: HeldRun): StepDeps {
  return run.epoch === undefined ? deps : fenced(deps, run);
}

export function workerDeps(environment: FunctionEnvironment, scratch: string, log: Log): StepDeps {
  const room = environment.tmpMb * 2 ** 20;
  const store = createS3Store({ client: clients.s3, buckets: environment.buckets, scratch, room });
  return {
    store,
    catalog: createGlueCatalog({
      client: clients.glue,
      store,
      codec: { parse: parseMetadata, render: renderMetadata },
      databasePrefix: environment.databasePrefix,
    }),
    engine,
    clock: { now: () => new Date() },
    ids: {
      unique: () => randomBytes(6).toString('hex'),
      uuid: () => randomUUID(),
      snapshot: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
    },
    log,
    ...lineageOf(store),
    specs: (pipeline) => readSpec(environment.specs, pipeline),
    wait: (ms) => sleep(ms),
    // Another function cannot be seen; its lease says whether it lives.
    isGone: () => false,
    hasEnded(execution) {
      sfn ??= new SFNClient({ requestHandler: CONNECTIONS });
      return createHasEnded(sfn, log)(execution);
    },
    settings: {
      memoryBytes: allowedBytes(environment.memoryMb),
      spillBytes: room,
      threads: threadsOf(environment.memoryMb),
      scratch,
      folders: [scratch],
      holder: (runId) => `run:${runId}`,
      leaseMs: LEASE_MS,
      clocksAgree: true,
      billedBy: 'aws',
    },
    ...lambdaEngines(environment, clients.glue, store),
    peakMemory,
    watchSpill: spill.watch,
  };
}

/** The compiled pipeline that was deployed with the function. */
async function readSpec(folder: string | undefined, pipeline: string): Promise<PipelineSpec> {
  if (folder === undefined)
    throw new InvalidInput('no STRATA_SPECS in the environment of this function, which reads none');
  const path = join(folder, `${pipeline}.json`);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new InvalidInput(`no pipeline ${JSON.stringify(pipeline)} in this deployment: expected ${path}`, [], {
      cause,
    });
  });
  return JSON.parse(text) as PipelineSpec;
}
