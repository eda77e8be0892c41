import { type Area, EXPORTS, type Zone } from './objects.ts';

/** What a function has on AWS. */
export type StepCompute = {
  /** MB of memory; CPU comes with it, one vCPU for each 1,769 MB. */
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** MB of /tmp, which DuckDB spills to. */
  readonly tmpMb: number;
  /** Executions at once that are set aside for this function alone; null: it shares the account's. */
  readonly reservedConcurrency: number | null;
};

/** What a function may do with the objects below some prefixes of a zone, or of what is exported. */
export type ObjectGrant = {
  readonly zone: Area;
  /** Below `<zone>/<pipeline>/`; '' for all of it. */
  readonly below: readonly string[];
  readonly may: readonly ('read' | 'write' | 'remove' | 'list')[];
};

/** `statemachines/<name>.asl.json`: one run of a pipeline, and one of its maintenance. */
export type MachineName = 'medallion' | 'maintenance';

/** One row of the table below. */
export type FunctionRow = {
  /** `lambdas/<file>.ts` is its entry, a task's step is `lib/steps/<folder>/<file>.ts`; the function's name on AWS ends in it. */
  readonly file: string;
  /** With DuckDB: it shares the workers' bundle, and a pipeline may choose its sizes. */
  readonly engine: boolean;
  /** The state machines that have a Task state of this name; none: something else calls the function. */
  readonly machines: readonly MachineName[];
  readonly compute: StepCompute;
  readonly objects: readonly ObjectGrant[];
  /** The same for pipelines whose tables its gold reads; of silver and gold only in the layers that it reads. */
  readonly others?: readonly ObjectGrant[];
  /** The same for all pipelines of the lake, known or not. */
  readonly everyones?: readonly ObjectGrant[];
  /** `find`: look tables up by name. `look`: list those that are there as well. `tend`: list and change them. */
  readonly catalog: 'find' | 'look' | 'change' | 'tend' | null;
  /** `look`: see whether executions of the machine of runs have ended. */
  readonly executions?: 'look';
  /** Its bundle is its own, with a client that no other function needs. */
  readonly serving?: true;
  /** Only pipelines have it that say so. */
  readonly only?: 'serve' | 'promote';
  /** The light function whose bundle it shares, by its file, since both need the same; left out: it has one of its own. */
  readonly beside?: 'notify';
  /** It reads the compiled pipeline, which it has beside its code; all others go by the plan. */
  readonly spec?: true;
};

const ALL = [''] as const;
/** Who reads also lists, since S3 tells only them that an object is not there. */
const read = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read'] });
const write = (zone: Area): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read', 'write'] });
const clear = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read', 'remove'] });
/** Files are removed unread. */
const sweep = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'remove'] });
const keep = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read', 'write', 'remove'] });

/** Data and metadata of tables of other pipelines. */
const tablesOfOthers: readonly ObjectGrant[] = [read('silver'), read('gold')];
/** By which Open tells which of their runs has ended: the run pointer, and what the run that it names has written. */
const runsOfOthers: ObjectGrant = { zone: 'ops', below: ['open-run.json', '_runs/'], may: ['list', 'read'] };
/** By which Sweep tells what unfinished runs of any pipeline build on. */
const plansOfAll: readonly ObjectGrant[] = [
  {
    zone: 'ops',
    below: [
      ...['open-run.json', 'open-maintenance.json', '_specs/'],
      ...['_runs', '_compactions'].flatMap((runs) => [`${runs}/*/plan.json`, `${runs}/*/result.json`]),
    ],
    may: ['list', 'read'],
  },
];

const seeds: ObjectGrant = { zone: 'bronze', below: ['_seeds/'], may: ['read', 'write'] };

/** 3,008 MB is the most that a new AWS account may give to a function. */
const HEAVY: StepCompute = { memoryMb: 3_008, timeoutSeconds: 900, tmpMb: 4_096, reservedConcurrency: null };
const PLANNING: StepCompute = { memoryMb: 1_769, timeoutSeconds: 900, tmpMb: 2_048, reservedConcurrency: null };
/** Light functions need little; time for retries of their calls. */
const LIGHT: StepCompute = { memoryMb: 512, timeoutSeconds: 60, tmpMb: 512, reservedConcurrency: null };

const RUN = ['medallion'] as const;
const worker = { engine: true, machines: RUN, catalog: null } as const;
const upkeep = { ...worker, machines: ['maintenance'] } as const;
const light = {
  engine: false,
  machines: ['medallion', 'maintenance'],
  compute: LIGHT,
  catalog: null,
} as const;

/**
 * Every function of a pipeline, those of the Task states first: which file it is, what it has on AWS, what it may do beside
 * writing its logs and traces. Only Commit, CommitRewrite and Sweep change the catalog, only Open and OpenRewrite look into it as well; the
 * Starter sees no data. Of tables of other pipelines, Open pins them; Level, PlanStage, Stage and Audit read them. Open sees whether the execution that waits still does. Starting executions and publishing alerts is granted where those are made. Every worker writes to
 * ops, where it renews the run's lock; Open, Finish and Fail remove what a run has left.
 */
export const STATES = {
  Open: {
    ...worker,
    file: 'open',
    compute: PLANNING,
    // It looks at files that events have named. Seeds are landed below a folder of their own.
    objects: [read('bronze'), seeds, clear('silver'), clear('gold'), keep('ops')],
    others: [...tablesOfOthers, runsOfOthers],
    catalog: 'look',
    executions: 'look',
    spec: true,
  },
  // It does what the five after it do.
  Level: {
    ...worker,
    file: 'level',
    compute: HEAVY,
    objects: [read('bronze'), write('silver'), write('gold'), keep('ops')],
    others: tablesOfOthers,
  },
  PlanStage: {
    ...worker,
    file: 'plan-stage',
    compute: PLANNING,
    objects: [read('bronze'), read('silver'), read('gold'), write('ops')],
    others: tablesOfOthers,
  },
  Stage: {
    ...worker,
    file: 'stage',
    compute: HEAVY,
    objects: [read('bronze'), write('silver'), write('gold'), keep('ops')],
    others: tablesOfOthers,
  },
  PlanMerge: { ...worker, file: 'plan-merge', compute: PLANNING, objects: [read('silver'), write('ops')] },
  // Gold is written here where several units compute a table.
  Merge: { ...worker, file: 'merge', compute: HEAVY, objects: [write('silver'), write('gold'), keep('ops')] },
  Audit: {
    ...worker,
    file: 'audit',
    compute: PLANNING,
    objects: [write('silver'), write('gold'), write('ops')],
    others: tablesOfOthers,
  },
  Gate: {
    ...worker,
    file: 'gate',
    compute: PLANNING,
    only: 'promote',
    objects: [read('silver'), read('gold'), write('ops')],
    catalog: 'find',
  },
  Commit: {
    ...worker,
    file: 'commit',
    compute: PLANNING,
    objects: [keep('silver'), keep('gold'), keep('ops'), write(EXPORTS)],
    catalog: 'change',
  },
  // It alone reads the secret of where tables are served, and has the client of that.
  Serve: {
    ...worker,
    file: 'serve',
    compute: HEAVY,
    objects: [read('silver'), read('gold'), write('ops')],
    catalog: 'find',
    only: 'serve',
    serving: true,
  },
  Finish: { ...worker, file: 'finish', compute: PLANNING, objects: [clear('silver'), clear('gold'), keep('ops')] },
  OpenRewrite: {
    ...upkeep,
    file: 'open-rewrite',
    compute: PLANNING,
    objects: [clear('silver'), clear('gold'), keep('ops')],
    catalog: 'find',
    spec: true,
  },
  Rewrite: {
    ...upkeep,
    file: 'rewrite',
    compute: HEAVY,
    objects: [write('silver'), write('gold'), keep('ops')],
  },
  CommitRewrite: {
    ...upkeep,
    file: 'commit-rewrite',
    compute: PLANNING,
    objects: [keep('silver'), keep('gold'), keep('ops')],
    catalog: 'change',
  },
  FinishRewrite: {
    ...upkeep,
    file: 'finish-rewrite',
    compute: PLANNING,
    objects: [sweep('silver'), sweep('gold'), keep('ops')],
  },
  Sweep: {
    ...upkeep,
    file: 'sweep',
    compute: PLANNING,
    objects: [keep('silver'), keep('gold'), keep('ops')],
    everyones: plansOfAll,
    catalog: 'tend',
    spec: true,
  },
  Fail: {
    ...light,
    file: 'fail',
    // It may have many files to remove.
    compute: { ...LIGHT, timeoutSeconds: 900 },
    objects: [clear('silver'), clear('gold'), keep('ops')],
  },
  Notify: {
    ...light,
    file: 'notify',
    objects: [{ zone: 'ops', below: ['_alerts/', 'audit_log/'], may: ['read', 'write'] }],
  },
  RunFailed: { ...light, file: 'run-failed', beside: 'notify', objects: [] },
  AwaitDecision: {
    ...light,
    file: 'await-decision',
    beside: 'notify',
    machines: RUN,
    only: 'promote',
    objects: [{ zone: 'ops', below: ['_gates/'], may: ['list', 'read', 'write'] }],
  },
  MaintainAfter: { ...light, machines: RUN, file: 'maintain-after', objects: [] },
  Starter: {
    ...light,
    file: 'starter',
    beside: 'notify',
    machines: [],
    // It also tells of executions that ended without an alert of their own, as Notify does.
    objects: [{ zone: 'ops', below: ['_events/', '_landed/', '_alerts/', 'audit_log/'], may: ['read', 'write'] }],
  },
} as const satisfies Readonly<Record<string, FunctionRow>>;

/** A function that is deployed for each pipeline. */
export type FunctionName = keyof typeof STATES;

type NamesWhere<Rule> = { [Name in FunctionName]: (typeof STATES)[Name] extends Rule ? Name : never }[FunctionName];

/** The steps that work on data. */
export type StepName = NamesWhere<{ readonly engine: true }>;
/** The functions behind the Task states of a machine, each named as its state. */
export type TaskName<Machine extends MachineName = MachineName> = Machine extends MachineName
  ? { [Name in FunctionName]: Machine extends (typeof STATES)[Name]['machines'][number] ? Name : never }[FunctionName]
  : never;
/** The steps of a run. */
export type RunStepName = Extract<StepName, TaskName<'medallion'>>;

export const FUNCTIONS = Object.keys(STATES) as readonly FunctionName[];
export const STEP_NAMES = FUNCTIONS.filter(isStep);
export const LIGHT_FUNCTIONS = FUNCTIONS.filter((name) => !isStep(name));
export const RUN_STEPS = STEP_NAMES.filter((name): name is RunStepName =>
  stateRow(name).machines.includes('medallion'),
);

/** The functions behind the Task states of a machine. */
export function tasksOf<Machine extends MachineName>(machine: Machine): readonly TaskName<Machine>[] {
  return FUNCTIONS.filter((name): name is TaskName<Machine> => stateRow(name).machines.includes(machine));
}

/** The folder of a function's bundle, and its module there. */
export function bundleOf(name: FunctionName): { readonly folder: string; readonly module: string } {
  const { file, beside, serving } = stateRow(name);
  if (isStep(name)) return { folder: serving === true ? file : 'worker', module: file };
  return beside === undefined ? { folder: file, module: 'index' } : { folder: beside, module: file };
}

export function isStep(name: FunctionName): name is StepName {
  return STATES[name].engine;
}

export function stateRow(name: FunctionName): FunctionRow {
  return STATES[name];
}
