import type { CompactRequest } from '../core/asked.ts';
import type { CompactionCost } from '../core/cost.ts';
import type { CompactedTable, MaintenanceResult } from '../core/maintenance.ts';
import type { RunRequest } from './run-request.ts';

/** What is asked of the maintenance of a pipeline. */
export type CompactionRequest = Pick<
  RunRequest,
  'pipeline' | 'runId' | 'dryRun' | 'onEvent' | 'retryIntervalMs' | 'interrupted'
> & { readonly compact: CompactRequest };

/** What came of it. */
export type CompactionAnswer =
  | { readonly kind: 'ended'; readonly result: MaintenanceResult }
  /** Only looked: what would be rewritten, and what that would take on AWS; a deployment of an earlier release doesn't say. */
  | { readonly kind: 'planned'; readonly tables: readonly CompactedTable[]; readonly cost: CompactionCost | null }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'locked'; readonly message: string };
