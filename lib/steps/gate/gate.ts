import { AuditFailed } from '../../core/errors.ts';
import { sayUnequal } from '../../core/parity.ts';
import { type Approval, awaitingOf, BY_CONDITIONS, type GateRecord } from '../../core/promote.ts';
import type { RunPlan, RunState } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { judge } from '../../lake/gate/conditions.ts';
import { changedIn, digestOf, digestsOf } from '../../lake/gate/digest.ts';
import { decide, decidedBy, gateFolder, readGate } from '../../lake/gate/gate-folder.ts';
import { readParities } from '../../lake/ops/parities.ts';
import { readDecision } from '../../lake/run/decision.ts';
import { releaseLock } from '../../lake/run/lock.ts';
import { readPlan, writeOnce } from '../../lake/run/run-folder.ts';
import { closeBooks } from '../commit/close-books.ts';

/**
 * Lets a run through that is approved, by a person or by the conditions of its pipeline. Otherwise it gives up the lock, and answers what
 * the run waits for; that it is open stays noted, so that no other begins and nothing of it is removed. What is
 * to be decided about is written once, whoever comes here how often. A run that was rejected, or whose time has passed, is let through too:
 * Commit publishes nothing of it. Throws AuditFailed where what was approved is no longer what there is.
 */
export async function runGate(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run } = state;
  const { awaiting: _awaiting, ...rest } = state;
  const plan = await readPlan(deps.store, run);
  if (plan.spec.promote === undefined || run.dry_run) return rest;
  const gate = (await readGate(deps.store, run)) ?? (await openGate(deps, plan));
  const now = deps.clock.now();
  const approval = (await decidedBy(deps.store, run, gate, now)) ?? (await decideByConditions(deps, plan, gate));
  if (approval === undefined) {
    const seconds = Math.max(1, Math.ceil((Date.parse(gate.expires_at) - now.getTime()) / 1000));
    await releaseLock(deps, run);
    deps.log.info('the run awaits approval', { run_id: run.run_id, expires_at: gate.expires_at });
    return { ...rest, awaiting: { ...awaitingOf(gate), seconds } };
  }
  // Commit enters that into the books, which it alone may change, and ends the run.
  if (approval.decision === 'rejected') return rest;
  // Once publishing has begun, it is gone on with.
  if ((await readDecision(deps.store, run)) === undefined) await requireAsApproved(deps, plan, gate, approval);
  return rest;
}

async function openGate(deps: StepDeps, plan: RunPlan): Promise<GateRecord> {
  const conditions = await judge(deps, plan, await closeBooks(deps, plan));
  const parts = await digestsOf(deps.store, plan);
  const differing = sayUnequal((await readParities(deps, plan)) ?? []);
  const at = deps.clock.now();
  const expires_at = new Date(at.getTime() + (plan.spec.promote?.expiresMs ?? 0)).toISOString();
  return writeOnce<GateRecord>(deps.store, gateFolder.record(plan.run), {
    run_id: plan.run.run_id,
    at: at.toISOString(),
    expires_at,
    digest: digestOf(parts),
    parts,
    conditions,
    auto: (plan.spec.promote?.auto ?? null) !== null,
    ...(differing.length === 0 ? {} : { differing }),
  });
}

async function decideByConditions(
  { store, clock }: StepDeps,
  { run }: RunPlan,
  { auto, conditions, digest }: GateRecord,
): Promise<Approval | undefined> {
  if (!auto || conditions.some(({ holds }) => !holds)) return undefined;
  const reason =
    conditions.length === 0 ? 'there are none' : conditions.map((one) => `${one.condition}: ${one.found}`).join('; ');
  return decide(store, run, { decision: 'approved', by: BY_CONDITIONS, reason, at: clock.now().toISOString(), digest });
}

async function requireAsApproved(deps: StepDeps, plan: RunPlan, gate: GateRecord, approval: Approval): Promise<void> {
  const parts = await digestsOf(deps.store, plan);
  if (digestOf(parts) === approval.digest) return;
  const changed = changedIn(gate.parts, parts);
  throw new AuditFailed(
    `run ${plan.run.run_id} is not as ${approval.by} approved it: got another ${changed.join(', ') || 'digest'}; nothing is published, and the next run takes its files again`,
  );
}
