import { StrataError } from '../../core/errors.ts';
import { opsTable } from '../../core/ops.ts';
import type { RunFact } from '../../core/run-fact.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { QuarantinedCode, StatusFacts } from '../../core/status-facts.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { lookForDue } from '../../lake/maintain/due.ts';
import { readBreaker } from '../../lake/ops/breaker.ts';
import { withChosen } from '../../lake/ops/choices.ts';
import type { JsonValue } from '../../ports.ts';
import { countCodes, selectRunFacts } from '../../sql/status/status.ts';
import { loadTable } from '../../table/read.ts';
import type { QueryDeps } from '../deps.ts';
import { listFailedRuns } from '../failed-runs.ts';
import { awaitingRun } from '../gate/awaiting-runs.ts';
import { lastSpec } from '../last-spec.ts';
import { rowsOfFiles } from '../list-files.ts';
import { parseTime } from '../moment.ts';
import { planRun } from '../plan-run.ts';
import { queryRows } from '../select.ts';

const DAY_MS = 86_400_000;

/** Names of the pipelines that have tables in a lake, in order. */
export async function pipelinesIn({ catalog }: Pick<QueryDeps, 'catalog'>): Promise<readonly string[]> {
  return [...new Set((await catalog.list()).map(({ pipeline }) => pipeline))].sort();
}

/** `ahead`: whether what a run would do now is asked, which lists all that has landed. Default true. */
export type StatusRequest = { readonly ahead?: boolean };

const UNSEEN = { behind: [], unfinished: null, suspended_files: 0, unseen: true } as const;

/**
 * Looks at a pipeline: its books, what a run would do now, and what is due. A pipeline that does not compile any more is the one that
 * its latest run had. Throws InvalidInput for one that neither is there nor has run.
 */
export async function collectFacts(
  deps: StepDeps,
  pipeline: string,
  { ahead = true }: StatusRequest = {},
): Promise<StatusFacts> {
  const spec = await specOf(deps, pipeline);
  const breaker = await readBreaker(deps.store, pipeline);
  const rejected = await countRejectedFiles(deps, pipeline);
  const waits = await awaitingRun(deps, pipeline, deps.clock.now());
  return {
    pipeline,
    owner: spec.owner,
    tier: spec.tier,
    timezone: spec.timezone ?? 'UTC',
    slo: spec.slo,
    runs: await runFacts(deps, pipeline, spec.slo.quarantineRate !== null),
    breaker: breaker === undefined || breaker.closed_at !== null ? 'closed' : 'open',
    ...(waits && { awaiting: waits.awaiting }),
    quarantine: await countQuarantine(deps, pipeline),
    ...(ahead ? await lookAhead(deps, pipeline) : UNSEEN),
    ...(rejected > 0 && { rejected_files: rejected }),
    maintenance: await lookForDue(deps, spec),
  };
}

/** A pipeline with the texts that were chosen for its models; as its latest run had it where it does not compile. */
export async function specOf(deps: StepDeps, pipeline: string): Promise<PipelineSpec> {
  return withChosen(deps.store, await declaredSpec(deps, pipeline));
}

async function declaredSpec(deps: StepDeps, pipeline: string): Promise<PipelineSpec> {
  try {
    return await deps.specs(pipeline);
  } catch (cause) {
    const last = await lastSpec(deps, pipeline);
    if (last === undefined) throw cause;
    return last;
  }
}

/** The runs of a pipeline that have ended, without maintenance; with the rows that each read and rejected where that is asked. */
export async function runFacts(deps: QueryDeps, pipeline: string, counted: boolean): Promise<readonly RunFact[]> {
  const has = async (book: 'runs' | 'accounting'): Promise<boolean> =>
    (await loadTable(deps.catalog, opsTable(pipeline, book))) !== undefined;
  const rows = (await has('runs'))
    ? await queryRows(deps, selectRunFacts(pipeline, counted && (await has('accounting'))))
    : [];
  const facts = rows.flatMap(({ facts: found }) => (typeof found === 'string' ? factsIn(found) : []));
  const known = new Set(facts.map(({ run_id }) => run_id));
  const noted = (await listFailedRuns(deps, pipeline)).flatMap((row) => factOf(row) ?? []);
  return [...facts, ...noted.filter(({ run_id }) => !known.has(run_id))].sort((a, b) => b.started - a.started);
}

/** A run as its query tells it: what is not known is null. */
type Told = { readonly [name in keyof RunFact]: RunFact[name] | null };

function factsIn(json: string): readonly RunFact[] {
  return (JSON.parse(json) as readonly Told[]).flatMap((told) => factOf(told) ?? []);
}

/** A run by its row, or as its query tells it; undefined for what is no run, or has not ended. */
export function factOf(row: { readonly [name: string]: JsonValue | undefined }): RunFact | undefined {
  const finished = instantOf(row['finished'] ?? row['finished_at']);
  // Books of earlier releases know no other kind.
  if ((row['kind'] ?? 'run') !== 'run' || finished === undefined) return undefined;
  const duration_ms = Number(row['duration_ms'] ?? 0);
  return {
    run_id: String(row['run_id']),
    succeeded: row['succeeded'] === true || row['status'] === 'SUCCEEDED',
    started: instantOf(row['started'] ?? row['started_at']) ?? finished - duration_ms,
    finished,
    duration_ms,
    error: typeof row['error'] === 'string' ? row['error'] : null,
    ...costOf(row),
    ...(typeof row['read'] === 'number' ? { read: row['read'], rejected: Number(row['rejected'] ?? 0) } : {}),
  };
}

function instantOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : parseTime(String(value));
}

function costOf({
  cost_usd,
  cost_rate,
}: {
  readonly cost_usd?: JsonValue | undefined;
  readonly cost_rate?: JsonValue | undefined;
}): Pick<RunFact, 'cost_usd' | 'cost_rate'> {
  return {
    ...(typeof cost_usd === 'number' ? { cost_usd } : {}),
    ...(typeof cost_rate === 'string' ? { cost_rate } : {}),
  };
}

async function countRejectedFiles(deps: StepDeps, pipeline: string): Promise<number> {
  const rows = await rowsOfFiles(deps, pipeline, { status: 'rejected' });
  return new Set(rows.map((row) => row['key'])).size;
}

async function countQuarantine(deps: StepDeps, pipeline: string): Promise<readonly QuarantinedCode[]> {
  if ((await loadTable(deps.catalog, opsTable(pipeline, 'quarantine'))) === undefined) return [];
  const since = new Date(deps.clock.now().getTime() - DAY_MS).toISOString();
  const rows = await queryRows(deps, countCodes(pipeline, since));
  return rows.map((row) => ({
    code: String(row['code']),
    quarantined: Number(row['quarantined']),
    condemned: Number(row['condemned']),
    last_day: Number(row['last_day']),
  }));
}

/** What a run would write now. What stops it from being told is told instead: everything else is worth knowing all the same. */
async function lookAhead(
  deps: StepDeps,
  pipeline: string,
): Promise<Pick<StatusFacts, 'behind' | 'unfinished' | 'suspended_files'>> {
  try {
    const { levels, changes, resumes, suspended } = await planRun(deps, pipeline);
    const behind = levels.flatMap(({ tables }) => tables.map(({ table, reason }) => ({ table, why: reason })));
    const refused = changes.flatMap(({ table, does, refused }) => (refused ? [{ table, why: does }] : []));
    return { behind: [...behind, ...refused], unfinished: resumes, suspended_files: suspended.length };
  } catch (cause) {
    if (!(cause instanceof StrataError)) throw cause;
    return { behind: [{ table: null, why: cause.message }], unfinished: null, suspended_files: 0 };
  }
}
