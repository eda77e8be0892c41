import { AuditFailed, ObjectNotFound } from '../../core/errors.ts';
import { opsTable } from '../../core/ops.ts';
import type { RunPlan } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';
import { findExamples, findTripped } from '../../sql/quarantine-table.ts';
import { renderParquet } from '../../sql/scan.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { swapJson, writeJson } from '../run/run-folder.ts';
import type { Placed } from '../run/unit-result.ts';
import { pathOf } from '../tables/foreign-files.ts';
import { openOps } from './open-ops.ts';

/** Why a pipeline's circuit breaker is open. It stays so until a person closes it. */
export type OpenBreaker = {
  readonly code: string;
  readonly rows: number;
  readonly limit: number;
  readonly window_ms: number;
  readonly run_id: string;
  readonly opened_at: string;
  /** Some of the rows: file, line, code and detail. */
  readonly examples: readonly string[];
  /** Set when a person closes it: the next run is let through, whatever it rejects. */
  readonly closed_at: string | null;
};

function breakerKey(pipeline: string): string {
  return `ops/${pipeline}/breaker.json`;
}

/** What stands in the place of a breaker that counts again: who writes what others may write later removes nothing. */
const REARMED = { rearmed: true } as const;

type Seen = { readonly breaker: OpenBreaker | undefined; readonly etag: string | undefined };

export async function readBreaker(store: ObjectStore, pipeline: string): Promise<OpenBreaker | undefined> {
  return (await see(store, pipeline)).breaker;
}

async function see(store: ObjectStore, pipeline: string): Promise<Seen> {
  try {
    const { bytes, etag } = await store.read(breakerKey(pipeline));
    const found = JSON.parse(new TextDecoder().decode(bytes)) as OpenBreaker | typeof REARMED;
    return { breaker: 'rearmed' in found ? undefined : found, etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return { breaker: undefined, etag: undefined };
    throw cause;
  }
}

/** Lets the next run through, whatever it rejects: a person has looked. Answers whether the breaker was open. */
export async function closeBreaker(store: ObjectStore, pipeline: string, at: Date): Promise<boolean> {
  for (;;) {
    const { breaker, etag } = await see(store, pipeline);
    if (breaker === undefined || breaker.closed_at !== null) return false;
    if (await swapJson(store, breakerKey(pipeline), etag, { ...breaker, closed_at: at.toISOString() })) return true;
  }
}

/** After a run that was let through has published, the breaker counts again. */
export async function rearmBreaker(store: ObjectStore, pipeline: string): Promise<void> {
  const { breaker, etag } = await see(store, pipeline);
  if (breaker !== undefined && breaker.closed_at !== null) await swapJson(store, breakerKey(pipeline), etag, REARMED);
}

/** Throws AuditFailed while the breaker is open. */
export async function requireClosed(store: ObjectStore, pipeline: string): Promise<void> {
  const open = await readBreaker(store, pipeline);
  if (open === undefined || open.closed_at !== null) return;
  throw new AuditFailed(
    `the circuit breaker of ${pipeline} is open: ${open.rows} rows with ${open.code} within ${open.window_ms / 1000} s ` +
      `(limit ${open.limit}), run ${open.run_id} at ${open.opened_at}. Nothing was done; look at the rows, then close it: strata breaker close ${pipeline}`,
  );
}

/**
 * Opens the breaker when the rows that this run would quarantine, with those of the window before it, are too many of
 * one code. Throws AuditFailed then: the run ends before anything is published.
 */
export async function checkBreaker(deps: StepDeps, plan: RunPlan, quarantine: readonly Placed[]): Promise<void> {
  const { breaker } = plan.spec;
  if (breaker === null || quarantine.length === 0) return;
  if ((await readBreaker(deps.store, plan.run.pipeline))?.closed_at != null) return;
  const at = deps.clock.now();
  const since = new Date(at.getTime() - breaker.windowMs).toISOString();
  const tripped = await countCodes(deps, plan, quarantine, since, breaker.rows);
  if (tripped === undefined) return;
  const open: OpenBreaker = {
    ...{ code: tripped.code, rows: tripped.rows, examples: tripped.examples },
    limit: breaker.rows,
    window_ms: breaker.windowMs,
    run_id: plan.run.run_id,
    opened_at: at.toISOString(),
    closed_at: null,
  };
  if (!plan.run.dry_run) await writeJson(deps.store, breakerKey(plan.run.pipeline), open);
  throw new AuditFailed(
    `the circuit breaker opened: ${open.rows} rows with ${open.code} within ${open.window_ms / 1000} s, limit ${open.limit}, such as ${tripped.places.join('; ')}. ` +
      `Nothing is published and further runs stop until: strata breaker close ${plan.run.pipeline}`,
  );
}

/** `places`: files and lines of the examples, for what goes into logs, histories and mails. */
type Tripped = Pick<OpenBreaker, 'code' | 'rows' | 'examples'> & { readonly places: readonly string[] };

async function countCodes(
  deps: StepDeps,
  plan: RunPlan,
  quarantine: readonly Placed[],
  since: string,
  limit: number,
): Promise<Tripped | undefined> {
  const entry = await loadTable(deps.catalog, opsTable(plan.run.pipeline, 'quarantine'));
  const keys = quarantine.map((file) => file.key);
  await using staged = await deps.store.borrow(keys);
  await using session = await deps.engine.open(deps.settings);
  await using quarantined = await openOps(deps.store, session, 'quarantine', entry?.metadata);
  const relations = { table: quarantined.relation, staged: renderParquet(keys.map((k) => pathOf(staged, k))) };
  const first = (await session.rows(findTripped(relations, since, limit)))[0];
  if (first === undefined) return undefined;
  const code = String(first['code']);
  const examples = await session.rows(findExamples(relations.staged, code));
  const texts = (column: 'place' | 'example'): readonly string[] => examples.map((row) => String(row[column]));
  return { code, rows: Number(first['rows']), examples: texts('example'), places: texts('place') };
}
