import { InvalidInput } from '../../core/errors.ts';
import { type Approval, BY_EXPIRY, type GateRecord } from '../../core/promote.ts';
import type { RunRef } from '../../core/run.ts';
import type { StepDeps } from '../deps.ts';
import { readPlanIfAny } from '../run/run-folder.ts';
import { changedIn, digestOf, digestsOf, movedOn } from './digest.ts';
import { decide, decidedBy, readGate } from './gate-folder.ts';

export type DecideDeps = Pick<StepDeps, 'store' | 'catalog' | 'clock'>;

/** What a person decides, and of what if the digest of it is given. */
export type DecideRequest = Pick<Approval, 'decision' | 'by' | 'reason'> & {
  readonly digest?: string | undefined;
  /** Left out: the only one that has a run of that id. */
  readonly pipeline?: string | undefined;
};

/** `before`: it had been decided so already, by whoever the approval names. */
export type Decided = { readonly approval: Approval; readonly before: boolean };

type Gated = { readonly run: RunRef; readonly gate: GateRecord };

/** A run that is or was to be decided about, in whichever pipeline it is. Throws InvalidInput where none has that id, or several have. */
export async function findGated(
  { store }: Pick<DecideDeps, 'store'>,
  runId: string,
  of: string | undefined = undefined,
): Promise<Gated> {
  const found: Gated[] = [];
  for (const pipeline of of === undefined ? await store.folders('ops/') : [of]) {
    const run = { pipeline, run_id: runId, dry_run: false };
    const gate = await readGate(store, run);
    if (gate !== undefined) found.push({ run, gate });
  }
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) {
    throw new InvalidInput(
      `run ${JSON.stringify(runId)}: got one of ${found.map(({ run }) => run.pipeline).join(' and one of ')}; expected --pipeline to say which`,
    );
  }
  throw new InvalidInput(
    `no run ${JSON.stringify(runId)} awaits approval, or ever did; expected one that \`strata runs\` shows as AWAITING_APPROVAL`,
  );
}

/**
 * Writes down what a person has decided, which is for ever. What was prepared has to be as it was when it was to be decided about, and the
 * tables have to have the rows that the run goes on from; files that were rewritten meanwhile are no hindrance. Throws InvalidInput with
 * what changed otherwise, for a run that another has decided about otherwise, and for one whose time has passed.
 */
export async function decideRun(
  deps: DecideDeps,
  run: RunRef,
  gate: GateRecord,
  request: DecideRequest,
): Promise<Decided> {
  checkTold(request);
  const known = await decidedBy(deps.store, run, gate, deps.clock.now());
  if (known !== undefined) return asKnown(run, request, known);
  if (request.decision === 'approved') await requireUnchanged(deps, run, gate, request.digest);
  const { decision, by, reason } = request;
  const own: Approval = { decision, by, reason, at: deps.clock.now().toISOString(), digest: gate.digest };
  const holds = await decide(deps.store, run, own);
  return holds === own ? { approval: own, before: false } : asKnown(run, request, holds);
}

/** Who nobody knows has decided nothing. */
function checkTold({ by, reason }: DecideRequest): void {
  for (const [option, text] of [
    ['--by', by],
    ['--reason', reason],
  ] as const) {
    if (text.trim() === '') throw new InvalidInput(`${option}: got nothing; expected who decides, and why`);
  }
}

function asKnown({ run_id }: RunRef, { decision }: DecideRequest, approval: Approval): Decided {
  if (approval.decision === decision) return { approval, before: true };
  const { by, at, reason } = approval;
  const late = by === BY_EXPIRY ? '; the next run takes its files again' : '';
  throw new InvalidInput(
    `run ${run_id} cannot be ${decision}: got one that was ${approval.decision} by ${by} at ${at} (${reason}); a decision stays${late}`,
  );
}

async function requireUnchanged(
  deps: DecideDeps,
  run: RunRef,
  gate: GateRecord,
  asked: string | undefined,
): Promise<void> {
  if (asked !== undefined && (asked === '' || !gate.digest.startsWith(asked))) {
    throw new InvalidInput(
      `run ${run.run_id} has another digest: got ${asked}; expected ${gate.digest}, which strata review ${run.run_id} shows`,
    );
  }
  const plan = await readPlanIfAny(deps.store, run);
  if (plan === undefined)
    throw new InvalidInput(`run ${run.run_id} cannot be approved: it was undone, and nothing of it is there`);
  const parts = await digestsOf(deps.store, plan);
  const changed = digestOf(parts) === gate.digest ? [] : changedIn(gate.parts, parts);
  const moved = await movedOn(deps, plan);
  if (changed.length + moved.length === 0) return;
  const what = [
    ...(changed.length === 0 ? [] : [`another ${changed.join(', ')} than was prepared`]),
    ...(moved.length === 0 ? [] : [`other rows published of ${moved.join(', ')} than it goes on from`]),
  ];
  throw new InvalidInput(
    `run ${run.run_id} cannot be approved: got ${what.join(', and ')}; expected them as they were at ${gate.at}. Reject it, and run again: strata reject ${run.run_id} --by NAME --reason TEXT`,
  );
}
