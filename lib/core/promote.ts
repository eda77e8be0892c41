/** What has to hold before the tables of a run are published, as a pipeline declares it. */
export type PromoteSpec = {
  /** Null: a person decides about every run. Else what lets one through without. */
  readonly auto: readonly TableCondition[] | null;
  /** Percent of the records read that may be rejected; null: any. */
  readonly maxQuarantineRate: number | null;
  /** Error codes of which no record may be rejected. */
  readonly forbid: readonly string[];
  /** Milliseconds after which a run that nobody has decided about is rejected. */
  readonly expiresMs: number;
};

/** What a table has to be like, beside what of it is published. */
export type TableCondition = {
  /** `gold.revenue`. */
  readonly table: string;
  /** Columns that tell rows apart, of which none may be gone; empty: not asked. */
  readonly keys: readonly string[];
  /** Columns whose sums may differ by `tolerance` percent. */
  readonly measures: readonly string[];
  readonly tolerance: number;
};

/** A week. */
export const DEFAULT_EXPIRES_MS = 7 * 86_400_000;
/** Two weeks: an execution that waits for its turn has a history of 25,000 events. */
export const LONGEST_EXPIRES_MS = 14 * 86_400_000;
export const SHORTEST_EXPIRES_MS = 3_600_000;
export const DEFAULT_TOLERANCE = 10;

/** One condition, and what was found of it. */
export type ConditionOutcome = { readonly condition: string; readonly holds: boolean; readonly found: string };

/** What is to be decided about, written once when the run has been prepared. */
export type GateRecord = {
  readonly run_id: string;
  /** ISO instants. */
  readonly at: string;
  readonly expires_at: string;
  /** SHA-256 over `parts`: what was prepared. */
  readonly digest: string;
  readonly parts: Digests;
  readonly conditions: readonly ConditionOutcome[];
  /** Whether they are to let it through by themselves. */
  readonly auto: boolean;
  /** Texts of models that the run has compared and that are not equal, as far as they are named; left out where there is none. */
  readonly differing?: readonly string[];
};

/** By what it is of: SHA-256 of a prepared table with its manifests, of the run's plan, of an audit. */
export type Digests = Readonly<Record<string, string>>;

/** What was decided, once: whoever writes it first has decided. */
export type Approval = {
  readonly decision: 'approved' | 'rejected';
  readonly by: string;
  readonly reason: string;
  readonly at: string;
  readonly digest: string;
};

/** What became of a run that has to be approved and was: conditions let it through, or it has waited for a person. */
export type Gated = 'passed' | 'waited';

export function gatedBy({ by }: Pick<Approval, 'by'>): Gated {
  return by === BY_CONDITIONS ? 'passed' : 'waited';
}

/** Who decides where no person has. */
export const BY_CONDITIONS = 'conditions';
export const BY_EXPIRY = 'expiry';

/** What is said of a run that waits. */
export type Awaiting = {
  readonly run_id: string;
  readonly since: string;
  readonly expires_at: string;
  readonly digest: string;
  /** Conditions that do not hold; empty where a person decides about every run. */
  readonly because: readonly string[];
  /** Texts of models that it has compared and that are not equal; left out where there is none. */
  readonly differing?: readonly string[];
};

/** Of the state of a run, what is about that. */
export type GateState = {
  /** Present: the run waits for a decision, so many seconds at most. */
  readonly awaiting?: Awaiting & { readonly seconds: number };
  /** Of one that could not begin: the run that waits. */
  readonly awaited?: Awaiting;
};

export function awaitingOf({ run_id, at, expires_at, digest, conditions, differing }: GateRecord): Awaiting {
  const because = conditions.filter(({ holds }) => !holds).map(({ condition, found }) => `${condition}: ${found}`);
  return { run_id, since: at, expires_at, digest, because, ...(differing && { differing }) };
}

/** What a person is told who comes upon a run that waits. */
export function sayAwaiting(pipeline: string, awaiting: Awaiting): string {
  const { run_id, since, expires_at, because, differing = [] } = awaiting;
  const found = [...because, ...differing];
  const why = found.length === 0 ? '' : ` (${found.join('; ')})`;
  return (
    `run ${run_id} of ${pipeline} awaits approval since ${since}${why}; it is rejected at ${expires_at}. ` +
    `Nothing of it is published, and no other run of the pipeline begins. Look at it with strata review ${run_id}; ` +
    `then strata approve ${run_id} --by NAME --reason TEXT, or strata reject ${run_id} --by NAME --reason TEXT`
  );
}
