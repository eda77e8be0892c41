import type { Selectors } from '../../plan/select-models.ts';
import { runModelTests } from '../../runtime/model-tests.ts';
import { type Context, EXIT } from '../context.ts';
import { createLog } from '../output/log.ts';
import { renderFailure, testDocument, testLine, testSummary } from '../output/test-result.ts';

/** Runs the tests of models and prints what differs; ends with 2 when a test fails. */
export async function test(context: Context, pipeline: string | undefined, selectors: Selectors): Promise<number> {
  const { options, stderr } = context;
  const { pipelines, memoryBytes } = options;
  const outcomes = await runModelTests({
    pipelines,
    ...(pipeline === undefined ? {} : { pipeline }),
    selectors,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    // What a run warns of is part of its answer; here it is the rows that count.
    log: { ...createLog(stderr, { json: false }), info: () => {}, warn: () => {} },
    onTest: (outcome) => stderr.write(testLine(outcome)),
  });
  await context.answer(testDocument(outcomes), () =>
    [
      ...outcomes.map((outcome) => renderFailure(outcome, context.layout)),
      testSummary(outcomes, pipelines, pipeline),
    ].join(''),
  );
  return outcomes.some(({ differences }) => differences.length > 0) ? EXIT.failed : EXIT.done;
}
