import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrent } from '../../core/concurrency.ts';
import type { KeyShare } from '../../core/merge-unit.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { placeUnder } from '../../lake/files/stage-files.ts';
import { type Placed, readStageResults } from '../../lake/run/unit-result.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import { isSmall } from '../../plan/merge-units.ts';
import type { Borrowed } from '../../ports.ts';
import type { KeyedContext } from './keyed-share.ts';

/** Of so many stage units the results are looked into; what more units staged is in files that are better joined. */
const MOST_UNITS = 8;

/**
 * Files of staged events become the log's as they are, since they are such as it has: where all their events are fresh, and
 * none is small beside others of its bucket. Answers nothing where the events have to be written.
 */
export async function adoptEvents(
  context: KeyedContext,
  share: KeyShare,
  { events, folder }: { readonly events: Borrowed; readonly folder: string },
  deps: StepDeps,
): Promise<readonly Placed[] | undefined> {
  const { plan, planned, level, log } = context;
  if (share.parts > 1 || planned.units.length > MOST_UNITS || !areOwn(context, share)) return undefined;
  const own = new Set(share.events);
  const results = await readStageResults(deps, plan.run, level, planned);
  const staged = results.flatMap((r) => r.exchanged).filter(({ key }) => own.has(key));
  if (staged.length < own.size || !areWorthKeeping(share, staged, plan.spec.settings.fileBytes)) return undefined;
  const target = await loadTarget(deps.store, plan, log);
  const stem = `${plan.run.run_id}-${context.unit.unit}`;
  return mapConcurrent(staged, async ({ key, written }, nth) => {
    // A copy, for publishing takes a file away, and the unit may be tried again.
    const path = join(folder, `${nth}.parquet`);
    await copyFile(pathOf(events, key), path);
    return placeUnder(target, stem, { ...written, path }, deps);
  });
}

/** Whether the files have events of the share alone. */
function areOwn({ unit: { ranges } }: KeyedContext, { buckets, event_buckets }: KeyShare): boolean {
  if (ranges === undefined) return event_buckets !== undefined;
  const own = new Set(buckets);
  const parts = (ranges.cut ?? []).filter((one) => own.has(one));
  return parts.length === 0 || parts.length === ranges.cut?.length;
}

function areWorthKeeping({ events, event_buckets }: KeyShare, staged: readonly Placed[], fileBytes: number): boolean {
  const alone = (event_buckets === undefined ? 1 : new Set(event_buckets).size) === events.length;
  return alone || !staged.some(({ written }) => isSmall(written.bytes, fileBytes / 2));
}
