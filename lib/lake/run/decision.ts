import { LockHeld } from '../../core/errors.ts';
import type { RunRef } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';
import { readJsonIfAny, runFolder, writeOnce } from './run-folder.ts';

/**
 * Whether a run is published or undone: decided once, by whoever writes `committing.json` first, so that of two that
 * work on one run (because one was thought to be dead) none removes what the other publishes.
 */
export type Decision = { readonly at: string; readonly undo?: { readonly name: string; readonly message: string } };

/** What has been decided; undefined while everything is open. */
export function readDecision(store: ObjectStore, run: RunRef): Promise<Decision | undefined> {
  return readJsonIfAny<Decision>(store, runFolder.committing(run));
}

/** Decides for publishing. Throws LockHeld when the run is being undone. */
export async function decideToCommit(store: ObjectStore, run: RunRef, at: string): Promise<void> {
  const { undo } = await writeOnce<Decision>(store, runFolder.committing(run), { at });
  if (undo === undefined) return;
  throw new LockHeld(
    `run ${run.run_id} is undone by another: ${undo.name}: ${undo.message}; nothing is published, run again`,
  );
}

/** Decides for undoing; false when publishing has begun. */
export async function decideToUndo(store: ObjectStore, run: RunRef, decision: Required<Decision>): Promise<boolean> {
  return (await writeOnce<Decision>(store, runFolder.committing(run), decision)).undo !== undefined;
}
