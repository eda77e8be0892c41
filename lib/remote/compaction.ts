import type { CompactRequest } from '../core/asked.ts';
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
  /** Only looked: what would be rewritten. */
  | { readonly kind: 'planned'; readonly tables: readonly CompactedTable[] }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'locked'; readonly message: string };
