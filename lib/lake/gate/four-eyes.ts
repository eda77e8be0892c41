import { InvalidInput } from '../../core/errors.ts';
import { opsTable } from '../../core/ops.ts';
import { countCondemned, type QuarantineFilter } from '../../sql/quarantine-table.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openOps } from '../ops/open-ops.ts';
import { writeOnce } from '../run/run-folder.ts';
import { CONDEMNED, gateFolder } from './gate-folder.ts';

/** Who asks for something that two have to ask for. */
export type Asking = { readonly by: string; readonly reason: string };

type FirstAsking = Asking & { readonly at: string; readonly rows: number };

/**
 * Condemned rows of a pipeline whose runs are approved are released when two have asked for the same ones: whoever comes first is written down, once,
 * and the other goes on. Throws InvalidInput for the first of the two, and for one who gives no name or reason.
 */
export async function requireTwo(
  deps: StepDeps,
  pipeline: string,
  filter: QuarantineFilter,
  asking: Asking | undefined,
): Promise<void> {
  const { rows, digest } = await condemnedRows(deps, pipeline, filter);
  if (rows === 0) return;
  const { by = '', reason = '' } = asking ?? {};
  if (by.trim() === '' || reason.trim() === '') {
    throw new InvalidInput(
      `${rows} condemned rows of ${pipeline} are not released: got nobody who asks; expected --by NAME and --reason TEXT, of two people`,
    );
  }
  const own: FirstAsking = { by, reason, at: deps.clock.now().toISOString(), rows };
  const first = await writeOnce(deps.store, `${gateFolder.of(pipeline)}${CONDEMNED}/${digest}.json`, own);
  if (!isSame(first.by, by)) {
    await writeOnce(deps.store, `${gateFolder.of(pipeline)}${CONDEMNED}/${digest}-second.json`, own);
    return;
  }
  throw new InvalidInput(
    `${rows} condemned rows of ${pipeline} are not released yet: ${first.by} has asked for it at ${first.at} (${first.reason}); expected somebody else to ask for the same rows`,
  );
}

/** Throws InvalidInput where files whose rows were condemned would be read again, which releases these, by whoever asks for that. */
export async function requireReleased(deps: StepDeps, pipeline: string, files: readonly string[]): Promise<void> {
  const { rows } = await condemnedRows(deps, pipeline, { files });
  if (rows === 0) return;
  throw new InvalidInput(
    `${rows} rows of these files are condemned, and to read the files again would release them: expected two people to release them first, ` +
      `by strata quarantine release ${pipeline} with --file, --by NAME and --reason TEXT`,
  );
}

function isSame(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}

/** How many there are, and which, as one number. */
async function condemnedRows(
  deps: StepDeps,
  pipeline: string,
  filter: QuarantineFilter,
): Promise<{ readonly rows: number; readonly digest: string }> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'quarantine'));
  await using session = await deps.engine.open(deps.settings);
  await using quarantine = await openOps(deps.store, session, 'quarantine', entry?.metadata);
  const row = (await session.rows(countCondemned(quarantine.relation, filter)))[0];
  return { rows: Number(row?.['rows'] ?? 0), digest: `${row?.['rows']}-${row?.['digest']}` };
}
