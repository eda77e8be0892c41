import { InvalidInput } from '../../core/errors.ts';
import { chosenTexts } from '../../query/chosen-texts.ts';
import { diffPipeline } from '../../query/diff/diff-pipeline.ts';
import { hidingPersonal, type PersonalOption } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderPipelineDiff } from '../output/diff-pipeline.ts';
import { specsBut } from '../specs-here.ts';

export type PipelineDiffArguments = PersonalOption & {
  readonly pipeline?: string;
  readonly from?: string;
  readonly to?: string;
  readonly ignore?: readonly string[];
  readonly sample?: number;
};

/** Compares all tables of a pipeline, and what is downstream of them, at two moments. `idle`: what says nothing of many tables. */
export async function diffPipelineTables(
  context: Context,
  asked: PipelineDiffArguments & { readonly pipeline: string },
  idle: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { pipeline, from, to, ignore = [], sample = 0 } = asked;
  const given = Object.entries(idle).filter(([, value]) => value !== undefined);
  if (given.length > 0) {
    throw new InvalidInput(
      `diff --pipeline: got ${given.map(([name]) => name).join(' and ')} as well, which are about one table; expected --from, --to, --ignore or --sample`,
    );
  }
  if (from === undefined) throw new InvalidInput('diff --pipeline: got one moment; expected --from, and --to or now');
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const spec = await chosenTexts(deps, pipeline);
  const all = [spec, ...(await specsBut(deps, pipelines, pipeline))];
  const request = { pipeline, from, ...(to === undefined ? {} : { to }), ignore, sample };
  const found = await diffPipeline(hidingPersonal(deps, asked), spec, all, request);
  await context.answer(found, () => renderPipelineDiff(found, context));
  return found.equal ? EXIT.done : EXIT.differs;
}
