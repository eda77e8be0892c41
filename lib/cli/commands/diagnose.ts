import type { Diagnosis } from '../../core/diagnosis.ts';
import { InvalidInput } from '../../core/errors.ts';
import { DIAGNOSTICS } from '../../core/ops.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { findingsOf, type Subject } from '../../plan/findings.ts';
import { diagnoseSource } from '../../query/diagnosis/diagnose-source.ts';
import { diagnoseTable, modelOf } from '../../query/diagnosis/diagnose-table.ts';
import { findTable, tableIdIfAny } from '../../query/find-table.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { recordDiagnosis } from '../../runtime/record-diagnosis.ts';
import { hidingPersonal, type PersonalOption } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake, openLakeAt } from '../open-lake.ts';
import { renderDiagnosis } from '../output/diagnosis.ts';

export type DiagnoseOptions = PersonalOption & { readonly record?: boolean };

/** Shows what a source or a table looks like, and what is done about it. */
export async function diagnose(context: Context, name: string, options: DiagnoseOptions): Promise<number> {
  const { record = true, ...personal } = options;
  const opened = await openLakeAt(context, 'read');
  const deps = hidingPersonal(opened.deps, personal);
  const { diagnosis, subject, pipeline } = await diagnosed(deps, name);
  const findings = findingsOf(diagnosis, subject);
  if (record && context.deployed === undefined) await recordIfAny(context, pipeline, diagnosis, subject);
  await context.answer({ ...diagnosis, findings }, () => renderDiagnosis(diagnosis, findings, context.layout));
  return EXIT.done;
}

/** A lake that cannot be written is diagnosed all the same, and nothing is recorded of it. */
async function recordIfAny(context: Context, pipeline: string, diagnosis: Diagnosis, subject: Subject): Promise<void> {
  try {
    const { deps, make } = await openLake(context, 'write');
    await make();
    await recordDiagnosis(deps, pipeline, diagnosis, subject);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    context.note(`nothing was recorded in ${pipeline}_ops.${DIAGNOSTICS}: ${cause.message}`);
  }
}

type Deps = LocalLake['deps'] & { readonly hidesPersonal?: boolean };
type Diagnosed = { readonly diagnosis: Diagnosis; readonly subject: Subject; readonly pipeline: string };

/** `sales.transactions` and `bronze/sales/transactions` are sources, all else is a table by its full name. */
async function diagnosed(deps: Deps, name: string): Promise<Diagnosed> {
  const [, pipeline, source] = /^(?:bronze\/)?([a-z][a-z0-9_]*)[./]([A-Za-z_][A-Za-z0-9_]*)\/?$/.exec(name) ?? [];
  if (pipeline !== undefined && source !== undefined && tableIdIfAny(name) === undefined) {
    const spec = await deps.specs(pipeline);
    const diagnosis = await diagnoseSource(deps, spec, source);
    const own = spec.sources.find((one) => one.name === source);
    const subject: Subject = own === undefined ? UNKNOWN : { kind: 'source', spec, source: own };
    return { diagnosis, subject, pipeline };
  }
  const table = await findTable(deps.catalog, name);
  const spec = await specIfAny(deps, table.id.pipeline);
  const model = spec === undefined ? undefined : modelOf(spec, table.id);
  const subject: Subject = spec === undefined || model === undefined ? UNKNOWN : { kind: 'model', spec, model };
  return { diagnosis: await diagnoseTable(deps, table, spec), subject, pipeline: table.id.pipeline };
}

const UNKNOWN: Subject = { kind: 'unknown' };

/** A table outlives its pipeline, and can be diagnosed without it. */
async function specIfAny({ specs }: Pick<Deps, 'specs'>, pipeline: string): Promise<PipelineSpec | undefined> {
  try {
    return await specs(pipeline);
  } catch (error) {
    if (error instanceof InvalidInput) return undefined;
    throw error;
  }
}
