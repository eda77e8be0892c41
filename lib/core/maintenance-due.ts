import type { MaintenanceOperation, MaintenanceRequest } from './asked.ts';

/** An operation that is due, and why. `table` is null for what is due for the pipeline as a whole. */
export type Due = { readonly operation: MaintenanceOperation; readonly table: string | null; readonly why: string };

/** What is to follow a run, with the first of the reasons. */
export type MaintenanceDue = { readonly request: MaintenanceRequest; readonly why: readonly Due[] };
