import { EngineError, InvalidInput, Unavailable } from '../../../core/errors.ts';
import type { EngineName } from '../../../core/implementation.ts';
import type { StageUnit } from '../../../core/run.ts';
import type { Sql } from '../../../core/sql-text.ts';
import type { StepDeps, TableEngine } from '../../../lake/deps.ts';
import type { EngineRun } from '../../../lake/engines/staging.ts';
import type { BegunStatement } from '../../../lake/engines/stop-statements.ts';
import { readJsonIfAny, runFolder, writeOnce } from '../../../lake/run/run-folder.ts';
import type { PlannedTarget } from '../../../lake/tables/target.ts';

/** One of the tries at a unit. */
export type Attempt = {
  readonly run: EngineRun;
  readonly level: number;
  readonly unit: Pick<StageUnit, 'unit'>;
  readonly attempt: number;
  readonly model: string;
  readonly engine: TableEngine;
  /** As the text names it. */
  readonly engineName: EngineName;
  /** Whether the pipeline has personal columns, whose values no message has. */
  readonly personal: boolean;
};

/** The same with where it lies and what its tables are called. */
export type Work = Attempt & { readonly target: PlannedTarget; readonly folder: string; readonly names: string };

/** Ended without saying that it would end so again; whoever goes on tries the unit anew. */
export class AttemptFailed extends EngineError {}

/** How much of a call must be left to begin another wait, and what is waited at first and at most. */
const LEFT_MS = 60_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

/**
 * Has a statement done, once: what an earlier call has begun is looked at. Throws Unavailable when this call has no more time, so that
 * another goes on to wait; InvalidInput when the engine refuses it; AttemptFailed when it fails for now.
 */
export async function execute(
  deps: StepDeps,
  attempt: Attempt,
  { name, sql, token }: { readonly name: string; readonly sql: Sql; readonly token: string },
): Promise<void> {
  const { run, level, unit, engine, engineName } = attempt;
  const key = runFolder.engineRecord(run, level, unit.unit, `${attempt.attempt}-${name}`);
  const given = runFolder.engineRecord(run, level, unit.unit, `${attempt.attempt}-${name}-statement`);
  const start = async (): Promise<BegunStatement> => {
    const id = await engine.start(sql, token, given).catch((cause: unknown) => {
      if (!(cause instanceof InvalidInput)) throw cause;
      throw new InvalidInput(`${attempt.model}: ${cause.message}. Nothing is published`, [], { cause });
    });
    return writeOnce(deps.store, key, { id, engine: engineName });
  };
  const { id } = (await readJsonIfAny<BegunStatement>(deps.store, key)) ?? (await start());
  await awaitEnd(deps, attempt, id);
}

/** Of a text and its tables, rights and limits, which quote no value of a row; and what `requireTypes` says. */
const OPEN =
  /^(?:[A-Z_]+: )?line \d+:\d+: |^(?:[A-Z_]*(?:NOT_FOUND|PERMISSION_DENIED|ACCESS_DENIED)|Access Denied|Query exhausted resources)|^\[(?:UNRESOLVED_|[A-Z_]*NOT_FOUND|PARSE_SYNTAX_ERROR|MISSING_)|not authorized|Bytes scanned limit/;
const OTHER_TYPE = /column \S+: got [\w(), ]+; expected [\w(), <>:]+/;

function reasonOf(reason: string, personal: boolean): string {
  if (!personal || OPEN.test(reason)) return reason;
  return (
    OTHER_TYPE.exec(reason)?.[0] ?? 'what the engine says of it is withheld, since the pipeline has personal columns'
  );
}

async function awaitEnd(deps: StepDeps, { model, engine, personal }: Attempt, id: string): Promise<void> {
  const { title } = engine;
  for (let pause = FIRST_WAIT_MS; ; pause = Math.min(LONGEST_WAIT_MS, pause * 2)) {
    const progress = await engine.look(id);
    switch (progress.kind) {
      case 'done':
        return;
      case 'refused':
        throw new InvalidInput(
          `${model}: ${title} refuses its text: got ${reasonOf(progress.reason, personal)} (${id}); expected a SELECT in its own words that gives the columns of the ` +
            "DuckDB text, in their types. Nothing is published: correct the text and run again, or go back to DuckDB's (use)",
        );
      case 'failed':
        throw new AttemptFailed(`${model}: ${title} has failed: ${reasonOf(progress.reason, personal)} (${id})`);
      case 'working':
        break;
    }
    if ((deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) < LEFT_MS)
      throw new Unavailable(`${model}: ${title} is still at work (${id}); asked again, it is waited for further`);
    deps.interrupted?.throwIfAborted();
    await deps.wait(pause);
  }
}
