import type { VarValues } from './vars.ts';

/** Of what an execution is started with, what says more than which pipeline and run. */
export type Asked = {
  /** Full name of a keyed table to recompute from its log. */
  readonly rebuild?: string;
  /** Bronze files to take through the pipeline again. */
  readonly reprocess?: Reprocess;
  /** Files that earlier runs set aside, to take again. */
  readonly retry?: Retry;
  /** Tables to make anew from all that has landed. */
  readonly backfill?: Backfill;
  /** Rows of tables whose SQL, contract or rules have changed stay as they are. */
  readonly forward_only?: boolean;
  /** Values of the pipeline's variables, others than their defaults. */
  readonly vars?: VarValues;
  /** The day that `run_date()` is, as YYYY-MM-DD; left out: the one on which the run is planned. */
  readonly run_date?: string;
  /** The branch whose models are run; left out: those of no branch. */
  readonly branch?: string;
  /** Its period; left out: what is due. */
  readonly period?: string;
  /** ISO instant as of which periods are due: when a schedule fired; left out: now. */
  readonly fired_at?: string;
  /** Selectors of the models to run, and of those to leave out (plan/select-models.ts); left out: all models run. */
  readonly select?: readonly string[];
  readonly exclude?: readonly string[];
  /** Other texts of gold models are computed too, and compared with what is published. */
  readonly shadow?: boolean;
  /** Of maintenance that only compacts: which files to rewrite, and how. */
  readonly compact?: CompactRequest;
  /** Of maintenance: what is to be done. */
  readonly maintenance?: MaintenanceRequest;
};

/** Files by their names below the source's folder, or by the time at which they landed (ISO; from inclusive, to exclusive). */
export type Reprocess = {
  readonly source: string;
  readonly files?: readonly string[];
  readonly from?: string;
  readonly to?: string;
};

/** Silver tables are made anew as if the pipeline had always been what it is now. */
export type Backfill = {
  /** Files that were ingested once and are gone from bronze are done without. */
  readonly allow_missing?: boolean;
  /** Only partitions of this time (ISO; from inclusive, to exclusive), by what the tables are partitioned by. */
  readonly from?: string;
  readonly to?: string;
};

/** Files of the ledger that were set aside, to take again: the suspended ones, the rejected ones, or some by name. */
export type Retry = { readonly status?: 'rejected' | 'suspended'; readonly files?: readonly string[] };

/** What a compaction is asked for; left out: the usual. */
export type CompactRequest = {
  /** Full name of the one table; left out: all tables of the pipeline. */
  readonly table?: string;
  /** A condition on the partition fields of a table. */
  readonly where?: string;
  /** Megabytes of a data file. */
  readonly target_mb?: number;
  /** Small files that a partition needs to be worth rewriting. */
  readonly min_files?: number;
  /** Columns to order rows by. */
  readonly sort?: readonly string[];
  /** Columns along whose Z-order to lay rows. */
  readonly zorder?: readonly string[];
  /** Also partitions that nothing has touched since the last compaction. */
  readonly all?: boolean;
};

/** What maintenance does, in this order. */
export const MAINTENANCE_OPERATIONS = ['compact', 'expire', 'vacuum'] as const;
export type MaintenanceOperation = (typeof MAINTENANCE_OPERATIONS)[number];

/** What an execution of maintenance is asked for, and how each operation is done; left out: the usual. */
export type MaintenanceRequest = {
  /** In any order; none twice. */
  readonly operations: readonly MaintenanceOperation[];
  /** Full name of the one table; left out: all tables of the pipeline. */
  readonly table?: string;
  readonly compact?: Omit<CompactRequest, 'table'>;
  readonly expire?: ExpireOptions;
  readonly vacuum?: VacuumOptions;
};

export type VacuumOptions = {
  /** Milliseconds that something has not been needed for; left out: a week. */
  readonly older_than_ms?: number;
  /** Also less than a week, under the locks of the pipeline. */
  readonly force_retention?: boolean;
};

export type ExpireOptions = VacuumOptions & {
  /** So many of the latest snapshots stay, however old they are; left out: five. */
  readonly keep?: number;
};

/** What was asked for, out of whatever says it. */
export function askedOf(asked: Asked): Asked {
  const { rebuild, reprocess, retry, backfill, forward_only, vars, run_date, ...others } = asked;
  const { branch, period, fired_at, select, exclude, shadow, compact, maintenance } = others;
  return {
    ...(rebuild === undefined ? {} : { rebuild }),
    ...(reprocess === undefined ? {} : { reprocess }),
    ...(retry === undefined ? {} : { retry }),
    ...(backfill === undefined ? {} : { backfill }),
    ...(forward_only === undefined ? {} : { forward_only }),
    ...(vars === undefined ? {} : { vars }),
    ...(run_date === undefined ? {} : { run_date }),
    ...(branch === undefined ? {} : { branch }),
    ...(period === undefined ? {} : { period }),
    ...(fired_at === undefined ? {} : { fired_at }),
    ...(select === undefined ? {} : { select }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(shadow === undefined ? {} : { shadow }),
    ...(compact === undefined ? {} : { compact }),
    ...(maintenance === undefined ? {} : { maintenance }),
  };
}
