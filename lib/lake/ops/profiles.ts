import type { KeptProfile, StatementProfile, UnitProfile } from '../../core/profile.ts';
import type { ObjectStore } from '../../ports.ts';
import { readJsonIfAny, writeJson } from '../run/run-folder.ts';

/** Of the latest run of a pipeline that was profiled. */
const keyOf = (pipeline: string): string => `ops/${pipeline}/_profile.json`;

/** Those that took longest; what is kept stays small, however many units a run has. */
const MOST = 50;
/** Below, a time is shown as none. */
const LEAST_MS = 0.5;

/** Keeps what the engine did in a run, in the place of that of the run before: the statements that took longest, without what they are about, which may be values. */
export async function keepProfile(
  store: ObjectStore,
  pipeline: string,
  run: Pick<KeptProfile, 'run_id' | 'at'>,
  units: readonly UnitProfile[],
): Promise<void> {
  const all = units
    .flatMap(({ statements }, unit) => statements.map((one) => ({ unit: unit + 1, ...one })))
    .filter(({ ms }) => ms >= LEAST_MS);
  const longest = all.toSorted((a, b) => b.ms - a.ms).slice(0, MOST);
  const kept: KeptProfile = {
    ...run,
    statements: longest.map(({ plan, ...one }) => ({ ...one, operators: operatorsOf(plan, 0) })),
  };
  await writeJson(store, keyOf(pipeline), kept);
}

export async function readProfile(store: ObjectStore, pipeline: string): Promise<KeptProfile | null> {
  return (await readJsonIfAny<KeptProfile>(store, keyOf(pipeline))) ?? null;
}

function operatorsOf(plan: StatementProfile['plan'], depth: number): KeptProfile['statements'][number]['operators'] {
  if (plan === null) return [];
  const { operator, rows, bytes, ms, children } = plan;
  return [{ depth, operator, rows, bytes, ms }, ...children.flatMap((child) => operatorsOf(child, depth + 1))];
}
