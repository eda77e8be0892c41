import { type Diagnosis, withoutPersonal } from '../core/diagnosis.ts';
import type { BookRow } from '../core/facts.ts';
import { DIAGNOSTICS } from '../core/ops.ts';
import type { StepDeps } from '../lake/deps.ts';
import { commitOps, writeOpsRows } from '../lake/ops/ops-tables.ts';
import { type Finding, findingsOf, type Subject } from '../plan/findings.ts';

/**
 * Adds a diagnosis to the pipeline's table of diagnostics, which is made where it is not there yet. What was shown to one who may see it
 * is in no table for all. Answers its id.
 */
export async function recordDiagnosis(
  deps: StepDeps,
  pipeline: string,
  given: Diagnosis,
  subject: Subject,
): Promise<string> {
  const diagnosis = withoutPersonal(given);
  const id = `diagnosis-${diagnosis.at.replaceAll(/[-:]|\.\d+Z$/g, '')}-${deps.ids.unique()}`;
  const run = { pipeline, run_id: id, dry_run: false };
  const rows = rowsOfDiagnosis(diagnosis, findingsOf(diagnosis, subject)).map((row) => ({
    ...{ diagnosis_id: id, name: diagnosis.name, at: diagnosis.at },
    ...row,
  }));
  await commitOps(deps, run, DIAGNOSTICS, await writeOpsRows(deps, { run }, DIAGNOSTICS, rows));
  return id;
}

/** Without the sample, which is for who asks. */
export function rowsOfDiagnosis(diagnosis: Diagnosis, findings: readonly Finding[]): readonly BookRow[] {
  const { keys, partitions, days, schema, rows, files, bytes } = diagnosis;
  return [
    { ...NOTHING, topic: 'all', rows, files, bytes },
    ...findings.map((finding) => ({ ...NOTHING, ...finding })),
    ...keys.flatMap(({ column, top }) => top.map((one) => ({ ...NOTHING, topic: 'keys', subject: column, ...one }))),
    ...keys.map(({ column, skew }) => ({ ...NOTHING, topic: 'skew', subject: column, skew })),
    ...partitions.map((one) => ({
      ...{ ...NOTHING, topic: 'files', subject: one.partition },
      ...{ files: one.files, bytes: one.bytes, warning: one.small },
    })),
    ...(days?.volumes ?? []).map(({ day, rows: own }) => ({ ...NOTHING, topic: 'days', subject: day, rows: own })),
    ...schema.map(({ name, nulls, null_percent }) => ({
      ...{ ...NOTHING, topic: 'nulls', subject: name, rows: nulls, percent: null_percent },
    })),
  ];
}

const NOTHING = {
  ...{ subject: null, value: null, rows: null, files: null, bytes: null, percent: null, skew: null },
  ...{ warning: null, found: null, does: null },
};
