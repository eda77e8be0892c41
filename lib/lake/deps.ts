import type { RecordedRun } from '../core/facts.ts';
import type { EngineName } from '../core/implementation.ts';
import type { Spent } from '../core/requests.ts';
import type { PipelineSpec } from '../core/spec.ts';
import type { SqlEngine } from '../core/sql-engine.ts';
import type { Turns } from '../core/turns.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { Catalog, Clock, Engine, Ids, Log, ObjectStore, SendEvents, Sink } from '../ports.ts';

/** Plain data: what a worker may use. */
export type StepSettings = {
  /** Bytes that DuckDB may use in one unit. */
  readonly memoryBytes: number;
  readonly threads: number;
  /** Units that are worked on at the same time in this process, whose memory and threads they share; left out: one. */
  readonly unitsAtOnce?: number;
  /** Bytes of input above which a unit of several files is cut, where that is less than the pipeline's own; left out: the pipeline's. */
  readonly unitBytes?: number;
  /** Bytes that DuckDB may spill to `scratch`; left out: what the disk has. */
  readonly spillBytes?: number;
  /** An existing local folder for temporary files. */
  readonly scratch: string;
  /** The folders whose files SQL may read and write: where the store hands out its objects, and `scratch`. */
  readonly folders?: readonly string[];
  /** Who holds the lock of a run that is at work here: on one machine the process, on AWS the run itself. */
  readonly holder: (runId: string) => string;
  /** Milliseconds after which a lock that is not renewed is free for anyone. */
  readonly leaseMs: number;
  /** True where all clocks are set by one service, so that a lease that has ended by the clock has ended. */
  readonly clocksAgree?: true;
  /** The boot of the machine, which ends whatever works on it; left out where that is not known. */
  readonly boot?: string;
  /** Milliseconds of a clock that never jumps, which all processes of one boot share. */
  readonly sinceBoot?: () => number;
  /** Who asks for what runs take; left out: nobody, and an hour of the machine has the price that the pipeline gives it. */
  readonly billedBy?: 'aws';
};

export type TableEngine = SqlEngine<TableMetadata>;

/** What locks need. */
export type LockDeps = Pick<StepDeps, 'store' | 'clock' | 'isGone'> & {
  readonly settings: Pick<StepSettings, 'holder' | 'leaseMs' | 'clocksAgree' | 'boot' | 'sinceBoot' | 'billedBy'>;
};

/** What happens to a step that is part of another's call; `items`: how many units a step is about to do. */
export type StepEvent = { readonly state: string; readonly within: 'Level' } & (
  | { readonly kind: 'started' }
  | { readonly kind: 'items'; readonly count: number }
  | { readonly kind: 'succeeded'; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly durationMs: number; readonly error: string; readonly cause: string }
);

/** What asks for something, and what it has asked for. */
export type CountedDeps = Pick<StepDeps, 'store' | 'catalog' | 'spent'>;

/** Everything a step needs from the world; the two composition roots build it. */
export type StepDeps = {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** The compiled pipeline. Throws InvalidInput when there is none of that name. */
  readonly specs: (pipeline: string) => Promise<PipelineSpec>;
  /** Waits; injected so that back-off never sleeps in a test. */
  readonly wait: (ms: number) => Promise<void>;
  /** Whether the process of a holder's name is known to have ended; false where that can't be known. */
  readonly isGone: (holder: string) => boolean;
  /** Whether an execution of a state machine, by its ARN, is known to have ended; left out where nobody can be asked. */
  readonly hasEnded?: (execution: string) => Promise<boolean>;
  readonly settings: StepSettings;
  /** What this call of a step has asked S3 for so far, or would have; left out where nobody counts. */
  readonly spent?: () => Spent;
  /** Store and catalog for a part of this call, which has counts of its own beside those of the call; left out where nobody counts. */
  readonly counting?: () => CountedDeps;
  /** Turns of the units that share this process; left out where each has one for itself. */
  readonly turns?: Turns;
  /** The most memory that this process has had, in bytes; left out where nobody knows. */
  readonly peakMemory?: () => number;
  /** Begins to watch what the engine spills: the answer says the most bytes that there were at a time since; left out where nobody looks. */
  readonly watchSpill?: () => () => number;
  /** The step whose call this step is part of; left out where it has a call of its own. */
  readonly within?: 'Level';
  /** Told of the steps that a call does one after the other; left out where nobody follows them. */
  readonly onStep?: (event: StepEvent) => void;
  /** A secret by its name, undefined for one that is not there; left out where nobody knows any. */
  readonly secret?: (name: string) => Promise<string | undefined>;
  /** How what a run did is told to collectors of lineage, by its pipeline and what the books have of it; left out where nobody is told. */
  readonly lineage?: {
    readonly events: (spec: PipelineSpec, recorded: RecordedRun) => Parameters<SendEvents>[0];
  };
  /** Where tables are served outside the lake, by the name of the secret that has its URL; left out where none are. */
  readonly sink?: (secret: string) => Sink;
  /** Who computes gold models in the place of DuckDB, by the name of their text; left out where nobody does. */
  readonly sqlEngine?: (name: EngineName) => TableEngine | undefined;
  /** Milliseconds that this call of a step still has; left out where it has all the time that it takes. */
  readonly remainingMs?: () => number;
  /** Aborted when a person or the system asks the process to end. */
  readonly interrupted?: AbortSignal;
};
