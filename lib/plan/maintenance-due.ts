import { MAINTENANCE_OPERATIONS, type MaintenanceOperation } from '../core/asked.ts';
import type { Due } from '../core/maintenance-due.ts';
import type { MaintenanceRules } from '../core/maintenance-rules.ts';

/** What a table's metadata says without a file of it being looked at; all since the last maintenance that was due. */
export type TableFacts = {
  /** Its full name. */
  readonly table: string;
  /** Data files that it has more than it had at its fewest. */
  readonly grown: number;
  /** Bytes of a file that was added, on average. */
  readonly addedBytes: number;
  /** Bytes that a data file should have. */
  readonly targetBytes: number;
  /** Files that say which rows of others are deleted; of a table in buckets those of each, on average. */
  readonly deleteFiles: number;
  /** Percent of its rows that these delete. */
  readonly deletedPercent: number;
  /** Manifests of the current snapshot; undefined where its summary doesn't say. */
  readonly manifests: number | undefined;
  /** Snapshots that an expiry would forget. */
  readonly expirable: number;
};

export type PipelineFacts = {
  /** Runs that have ended since the last maintenance that was due; Infinity where there was none. */
  readonly runs: number;
  /** Milliseconds since the last vacuum that was due, or since the first run that is known. */
  readonly sinceVacuumMs: number;
  readonly tables: readonly TableFacts[];
};

/** Files above this part of the target are not worth joining. */
const SMALL = 0.75;

/**
 * What is due. Nothing is before so many runs have ended since the last time: maintenance takes about as long as a run of a
 * small table, and what it costs is shared by that many.
 */
export function findDue(facts: PipelineFacts, rules: MaintenanceRules): readonly Due[] {
  if (facts.runs < rules.everyRuns) return [];
  return [...facts.tables.flatMap((table) => dueOf(table, rules)), ...vacuumDue(facts, rules)];
}

/** The operations that are due, in the order in which they are done. */
export function operationsOf(due: readonly Due[]): readonly MaintenanceOperation[] {
  return MAINTENANCE_OPERATIONS.filter((operation) => due.some((one) => one.operation === operation));
}

function dueOf(facts: TableFacts, rules: MaintenanceRules): readonly Due[] {
  const { table, grown, deleteFiles, deletedPercent, manifests = 0, expirable } = facts;
  const because = (operation: MaintenanceOperation, holds: boolean, why: string): readonly Due[] =>
    holds ? [{ operation, table, why }] : [];
  const small = facts.addedBytes < facts.targetBytes * SMALL;
  return [
    // A table that is written whole, or bucket by bucket, gets as many files as it loses.
    ...because('compact', small && grown >= rules.compactAfter, `${grown} small files since the last time`),
    ...because('compact', deleteFiles >= rules.compactAfter, `${deleteFiles} files of deleted rows`),
    ...because(
      'compact',
      deletedPercent >= rules.compactDeleted,
      `${deletedPercent} % of its rows are deleted in place`,
    ),
    ...because('compact', manifests >= rules.manifestsAfter, `${manifests} manifests`),
    ...because('expire', expirable >= rules.expireAfter, `${expirable} snapshots past their age`),
  ];
}

function vacuumDue({ sinceVacuumMs }: PipelineFacts, { vacuumEveryMs }: MaintenanceRules): readonly Due[] {
  if (sinceVacuumMs < vacuumEveryMs) return [];
  return [
    { operation: 'vacuum', table: null, why: `nothing was removed for ${Math.floor(sinceVacuumMs / 3_600_000)} h` },
  ];
}
