import { opsTable } from '../../core/ops.ts';
import type { Predicate } from '../../iceberg/predicate.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Session } from '../../ports.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openOps } from './open-ops.ts';

/** The ledger as it was found, and who asks. `whole`: the session can read all of it already. */
export type Books = {
  readonly deps: StepDeps;
  readonly session: Session;
  readonly metadata: TableMetadata | undefined;
  readonly whole: boolean;
};

/** Makes rows of the ledger readable, at least those that meet all of some predicates. */
export async function openSome(
  { deps, session, metadata, whole }: Books,
  predicates: readonly Predicate[],
): Promise<AsyncDisposable | undefined> {
  return whole ? undefined : openOps(deps.store, session, 'files', metadata, predicates);
}

/** Of a ledger as it is now; undefined where there is none yet. */
export async function ledgerMetadata(deps: StepDeps, pipeline: string): Promise<TableMetadata | undefined> {
  return (await loadTable(deps.catalog, opsTable(pipeline, 'files')))?.metadata;
}

/** Rows of some names. */
export function among(names: readonly string[]): readonly Predicate[] {
  return [{ column: 'key', op: 'in', values: names }];
}

/** Names in a folder, which ends in `/`: what follows them all begins with the character after that. */
export function below(folder: string): readonly Predicate[] {
  return [
    { column: 'key', op: '>', value: folder },
    { column: 'key', op: '<', value: `${folder.slice(0, -1)}0` },
  ];
}
