/** When tables of a pipeline are looked after without being asked for, and how long what its runs leave is kept. */
export type MaintenanceRules = {
  /** Runs that have to end between one maintenance and the next, so that small tables don't pay for it at each. */
  readonly everyRuns: number;
  /** Small files by which a table has grown before it is compacted. */
  readonly compactAfter: number;
  /** Percent of a table's rows that are deleted by position before it is compacted. */
  readonly compactDeleted: number;
  /** Manifests that a table has before they are merged. */
  readonly manifestsAfter: number;
  /** Snapshots past their age that a table has before they are forgotten. */
  readonly expireAfter: number;
  /** Milliseconds: the age of snapshots that are forgotten, and of files that a vacuum removes. */
  readonly olderThanMs: number;
  /** The latest snapshots of a table that stay, however old. */
  readonly keep: number;
  /** Milliseconds between two vacuums. */
  readonly vacuumEveryMs: number;
  /** Milliseconds that plans and results of runs that have ended, alerts and notes of functions are kept. */
  readonly keepRunsMs: number;
};

/** Of a compiled pipeline: what differs from the defaults. Null: only on demand. */
export type OwnRules = (Partial<MaintenanceRules> & { readonly schedule?: string }) | null;

const HOUR_MS = 3_600_000;

/** The least age of what is removed beside others that work: queries, runs and other engines may still be reading it. */
export const LEAST_AGE_MS = 168 * HOUR_MS;

export const DEFAULT_RULES: MaintenanceRules = {
  everyRuns: 20,
  compactAfter: 16,
  compactDeleted: 10,
  manifestsAfter: 100,
  expireAfter: 20,
  olderThanMs: LEAST_AGE_MS,
  keep: 5,
  vacuumEveryMs: 24 * HOUR_MS,
  keepRunsMs: 30 * 24 * HOUR_MS,
};

/** Undefined for a pipeline that is looked after on demand only. Plans of earlier releases say nothing. */
export function rulesOf({ maintenance }: { readonly maintenance?: OwnRules }): MaintenanceRules | undefined {
  return maintenance === null ? undefined : keptRules({ maintenance: maintenance ?? {} });
}

/** How long things are kept, also by maintenance that was asked for. */
export function keptRules({ maintenance }: { readonly maintenance?: OwnRules }): MaintenanceRules {
  const { schedule: _schedule, ...own } = maintenance ?? {};
  return { ...DEFAULT_RULES, ...own };
}
