import { type Approval, BY_EXPIRY, type GateRecord } from '../../core/promote.ts';
import type { RunRef } from '../../core/run.ts';
import type { Clock, ObjectStore } from '../../ports.ts';
import { readJsonIfAny, writeOnce } from '../run/run-folder.ts';

/** Beside the folders of runs: who has asked for condemned rows. */
export const CONDEMNED = 'condemned';
/** Of a run: what was decided. */
export const DECISION = 'approval.json';

/**
 * What is to be decided about runs, and what was. It stands beside the folders of runs and not in them: that of a run which is
 * undone goes, and who rejected it stays on record.
 */
export const gateFolder = {
  of: (pipeline: string): string => `ops/${pipeline}/_gates/`,
  record: (run: RunRef): string => `${gateFolder.of(run.pipeline)}${run.run_id}/gate.json`,
  /** By what an execution is woken that waits. */
  bell: (run: RunRef): string => `${gateFolder.of(run.pipeline)}${run.run_id}/bell.json`,
  /** That people were told of it. */
  told: (run: RunRef): string => `${gateFolder.of(run.pipeline)}${run.run_id}/told.json`,
  approval: (run: RunRef): string => `${gateFolder.of(run.pipeline)}${run.run_id}/${DECISION}`,
} as const;

export function readGate(store: ObjectStore, run: RunRef): Promise<GateRecord | undefined> {
  return readJsonIfAny<GateRecord>(store, gateFolder.record(run));
}

/** By what an execution is woken that waits for a decision. */
export type Bell = { readonly token: string };

export function readBell(store: ObjectStore, run: RunRef): Promise<Bell | undefined> {
  return readJsonIfAny<Bell>(store, gateFolder.bell(run));
}

/** What has been decided; undefined while nothing is. */
export function readApproval(store: ObjectStore, run: RunRef): Promise<Approval | undefined> {
  return readJsonIfAny<Approval>(store, gateFolder.approval(run));
}

/** Decides, unless somebody has: answers what holds, which may be another's. */
export function decide(store: ObjectStore, run: RunRef, approval: Approval): Promise<Approval> {
  return writeOnce<Approval>(store, gateFolder.approval(run), approval);
}

/** What holds of a run at a moment: one whose time has passed is rejected then. */
export async function decidedBy(
  store: ObjectStore,
  run: RunRef,
  gate: GateRecord,
  now: Date,
): Promise<Approval | undefined> {
  const approval = await readApproval(store, run);
  if (approval !== undefined || now.getTime() < Date.parse(gate.expires_at)) return approval;
  const reason = `nobody decided until ${gate.expires_at}`;
  const at = now.toISOString();
  return decide(store, run, { decision: 'rejected', by: BY_EXPIRY, reason, at, digest: gate.digest });
}

/** Milliseconds for which a run waited to be decided about, or has until now; nothing of one that never had to. */
export async function waitedFor(
  { store, clock }: { readonly store: ObjectStore; readonly clock: Clock },
  run: RunRef,
): Promise<{ readonly waited_ms?: number }> {
  if (run.dry_run || run.kind === 'maintenance') return {};
  const gate = await readGate(store, run);
  if (gate === undefined) return {};
  const decided = (await readApproval(store, run))?.at ?? clock.now().toISOString();
  return { waited_ms: Date.parse(decided) - Date.parse(gate.at) };
}

/** Of the run that is open: present while it waits for a person. One that its conditions let through only has to be gone on with. */
export async function findAwaiting(store: ObjectStore, run: RunRef, now: Date): Promise<GateRecord | undefined> {
  const gate = await readGate(store, run);
  if (gate === undefined || now.getTime() >= Date.parse(gate.expires_at)) return undefined;
  if (gate.auto && gate.conditions.every(({ holds }) => holds)) return undefined;
  return (await readApproval(store, run)) === undefined ? gate : undefined;
}
