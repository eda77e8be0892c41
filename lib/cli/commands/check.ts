import { InvalidInput } from '../../core/errors.ts';
import { type Checked, type CheckRequest, checkTables } from '../../query/check-tables.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { checkDocument, renderChecks, verdictOf } from '../output/check-result.ts';

/**
 * Checks expectations on the tables as they are. Ends with 2 where a run would have been refused for one of them; for one that
 * only warns with --strict alone, as runs that warn do.
 */
export async function check(
  context: Context,
  pipeline: string | undefined,
  { strict = false, ...request }: CheckRequest & { readonly strict?: boolean },
): Promise<number> {
  if (pipeline === undefined && request.vars !== undefined) {
    throw new InvalidInput('--vars without a pipeline: got no pipeline; expected the one whose variables these are');
  }
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const checked: Checked[] = [];
  for (const name of pipeline === undefined ? await listPipelines(pipelines) : [pipeline]) {
    checked.push(...(await checkTables(deps, name, request)));
  }
  await context.answer(checkDocument(checked), () => renderChecks(checked, context.layout));
  const { failed, warned } = verdictOf(checked);
  return failed > 0 || (strict && warned > 0) ? EXIT.failed : EXIT.done;
}
