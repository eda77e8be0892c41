import type { InvalidInput } from '../../core/errors.ts';
import { type Finding, fail, ok, warn } from '../../core/finding.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { checkDuckDb, checkLake, checkNode } from '../../runtime/check-machine.ts';
import { type Context, EXIT } from '../context.ts';

/** Looks at what runs on this machine need. Ends with 2 where something will not work. */
export async function doctor(context: Context): Promise<number> {
  const { findings } = await checkProject(context);
  return tell(context, [...findings, ...(await checkLake(context.options.root))]);
}

type Checked = { readonly findings: readonly Finding[]; readonly specs: readonly PipelineSpec[] };

/** What runs and deploys need alike: Node, DuckDB, and pipelines that compile. */
export async function checkProject(context: Context): Promise<Checked> {
  const duckdb = await checkDuckDb(memoryOf(context));
  const { findings, specs } = duckdb.status === 'fail' ? { findings: [], specs: [] } : await compileAll(context);
  return { findings: [checkNode(process.version), duckdb, ...findings], specs };
}

function memoryOf({ options }: Context): { readonly memoryBytes?: number } {
  return options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes };
}

/** All pipelines of the folder, each with a line; what it needs is loaded late, since DuckDB may be what is wrong. */
async function compileAll(context: Context): Promise<Checked> {
  const { pipelines } = context.options;
  const [{ listPipelines }, { openLake }] = await Promise.all([
    import('../../runtime/load-pipeline.ts'),
    import('../open-lake.ts'),
  ]);
  const names = await listPipelines(pipelines);
  if (names.length === 0) {
    const advice = `name their folder with --pipelines, or begin: ${context.hint('init lake')}`;
    return { findings: [warn('pipelines', `none in ${pipelines}`, advice)], specs: [] };
  }
  const findings: Finding[] = [];
  const specs: PipelineSpec[] = [];
  const { deps } = await openLake(context, 'read');
  for (const name of names) {
    try {
      specs.push(await deps.specs(name));
      findings.push(ok(`pipeline ${name}`, 'compiles'));
    } catch (cause) {
      findings.push(fail(`pipeline ${name}`, problemsIn(cause), `put that right: ${context.hint(`compile ${name}`)}`));
    }
  }
  return { findings, specs };
}

function problemsIn(cause: unknown): string {
  const { message, problems = [] } = cause as Partial<InvalidInput>;
  const [first] = (message ?? String(cause)).split('\n');
  return problems.length === 0 ? (first ?? '') : `${problems.length} mistake${problems.length === 1 ? '' : 's'}`;
}

/** The findings as the command's answer, and its exit code. */
export async function tell(context: Context, findings: readonly Finding[]): Promise<number> {
  await context.answer({ findings }, () => renderFindings(findings));
  return findings.some(({ status }) => status === 'fail') ? EXIT.failed : EXIT.done;
}

function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, status, found, advice }) => {
      const line = `${status.padEnd(4)}  ${check.padEnd(width)}  ${found}\n`;
      return advice === undefined ? line : `${line}      ${' '.repeat(width)}  -> ${advice}\n`;
    })
    .join('');
}
