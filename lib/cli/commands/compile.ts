import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderJson } from '../output/json.ts';

/** Prints the PipelineSpec as JSON, with and without --json. */
export async function compile(context: Context, pipeline: string): Promise<number> {
  const { deps } = await openLake(context, 'read');
  await context.printData(renderJson(await deps.specs(pipeline)));
  return EXIT.done;
}
