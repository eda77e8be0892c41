import { AuditFailed, EngineError } from '../../core/errors.ts';
import type { Expectation, ModelSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { machineHolds } from '../../lake/run/floor.ts';
import { engineReason } from '../../landing/data-fault.ts';
import type { Row, Session } from '../../ports.ts';
import { checkExpectation } from '../../sql/audit.ts';

/** Makes what expectations read readable in a session, `this` among it. Disposing gives the files back. */
export type OpenRead = (session: Session) => Promise<AsyncDisposable>;

/**
 * What is wrong with the rows, or with the expectation that cannot be evaluated, in words, and of this what the engine says, by which
 * whoever runs the step knows that it had too little memory; undefined where it holds.
 */
export type Wrong = { readonly said: string; readonly cause?: EngineError } | undefined;

/**
 * Asks a table about its expectations. A row of which a condition raises breaks it, as among rows that are staged: where a condition raises
 * it is asked once more, row by row. Anything else that raises cannot be evaluated. Throws EngineError where the machine is to blame.
 */
export async function askTable(
  deps: StepDeps,
  model: ModelSpec,
  open: OpenRead,
  expectations: readonly Expectation[],
): Promise<ReadonlyMap<Expectation, Wrong>> {
  const answers = new Map<Expectation, Wrong>();
  while (answers.size < expectations.length) {
    // What raises may have cost the session, so that what comes after it has another.
    await using session = await deps.engine.open(deps.settings);
    await using _read = await open(session);
    for (const expectation of expectations.slice(answers.size)) {
      const said = await ask(session, model, expectation);
      answers.set(
        expectation,
        said instanceof EngineError ? await askAgain(deps, model, open, expectation, said) : said,
      );
      if (said instanceof EngineError) break;
    }
  }
  return answers;
}

async function ask(
  session: Session,
  model: ModelSpec,
  expectation: Expectation,
  guarded = false,
): Promise<Wrong | EngineError> {
  try {
    return sayBroken((await session.rows(checkExpectation(expectation, model.personal, guarded)))[0]);
  } catch (cause) {
    if (cause instanceof EngineError) return cause;
    throw cause;
  }
}

async function askAgain(
  deps: StepDeps,
  model: ModelSpec,
  open: OpenRead,
  expectation: Expectation,
  cause: EngineError,
): Promise<Wrong> {
  if (!(await machineHolds(deps))) throw cause;
  if (expectation.kind === 'row') {
    await using session = await deps.engine.open({ ...deps.settings, guarded: true });
    await using _read = await open(session);
    const said = await ask(session, model, expectation, true);
    if (!(said instanceof EngineError)) return said;
  }
  return { said: `cannot be evaluated: ${engineReason(cause)}`, cause };
}

/** How many offend, and some by their keys. Rows are never said: what is said here ends up in logs, histories and mails. */
export function sayBroken(counted: Row | undefined): Wrong {
  if (Number(counted?.['broken']) === 0) return undefined;
  const examples = counted?.['examples'];
  const such = typeof examples === 'string' ? `, such as ${examples}` : '';
  return { said: `does not hold: ${String(counted?.['broken'])} offending${such}` };
}

/** The run that an expectation with policy `fail` ends. */
export function notPublished(text: string, { cause }: NonNullable<Wrong>): AuditFailed {
  return new AuditFailed(text, cause && { cause });
}
