import { AuditFailed } from '../../core/errors.ts';
import type { RunPlan } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { checkBreaker } from '../../lake/ops/breaker.ts';
import { readDecision } from '../../lake/run/decision.ts';
import { readSources, recordsByFile, type SettledBooks, type SourceOutcome } from '../../lake/run/run-records.ts';
import { settleBooks } from './settle-books.ts';

/** What a run took in and rejected, as it is to be published. */
export type ClosedBooks = { readonly sources: readonly SourceOutcome[]; readonly books: SettledBooks };

/** Closes a run's books. Throws AuditFailed where its tables disagree, or too much is rejected. Repeating it finds the first answer. */
export async function closeBooks(deps: StepDeps, plan: RunPlan): Promise<ClosedBooks> {
  const sources = await readSources(deps, plan);
  checkLeft(sources);
  checkRecords(sources);
  const books = await settleBooks(deps, plan, sources);
  if ((await readDecision(deps.store, plan.run)) === undefined) await checkBreaker(deps, plan, books.quarantine);
  return { sources, books };
}

/** Every table that read a file found the same number of records in it. */
function checkRecords(sources: readonly SourceOutcome[]): void {
  for (const { source, tables } of sources) {
    const found = new Map<string, { readonly records: number; readonly table: string }>();
    for (const { table, outcome } of tables) {
      for (const [file, records] of recordsByFile(outcome)) {
        const other = found.get(file) ?? { records, table };
        found.set(file, other);
        if (other.records === records) continue;
        throw new AuditFailed(
          `source ${source}: ${file.slice(file.indexOf(' ') + 1)} has ${other.records} records for ${other.table} and ${records} for ${table}; nothing is published`,
        );
      }
    }
  }
}

/** Tables that were to take the same file have the same rows of it, or the next run could not give it to some of them. */
function checkLeft(sources: readonly SourceOutcome[]): void {
  for (const { source, tables } of sources) {
    const read = new Set(tables.flatMap(({ outcome }) => outcome.files.map((file) => `${file.etag} ${file.key}`)));
    const left = tables.flatMap(({ outcome }) => outcome.left);
    const only = left.find((file) => read.has(`${file.etag} ${file.key}`));
    if (only === undefined) continue;
    throw new AuditFailed(
      `source ${source}: ${only.key} changed while the run read it, so that some of its tables have its rows and others have not; ` +
        'nothing is published. Run again',
    );
  }
}
