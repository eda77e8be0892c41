import { judgeModes } from '../../report/bench.ts';
import { benchModes } from '../../runtime/bench-modes.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderBench } from '../output/bench.ts';

export type BenchOptions = { readonly mode: readonly string[]; readonly rounds?: number };

const USUAL_ROUNDS = 3;

/** Compares modes of a pipeline: first what they make, then how long they take. */
export async function bench(
  context: Context,
  pipeline: string,
  { mode, rounds = USUAL_ROUNDS }: BenchOptions,
): Promise<number> {
  const lake = await openLake(context, 'read');
  const onRun = (name: string, round: number): void =>
    context.note(round === 0 ? `${name}: what it makes` : `${name}: round ${round} of ${rounds}`);
  const modes = judgeModes(await benchModes(lake, { pipeline, modes: mode, rounds, onRun }));
  await context.answer({ pipeline, rounds, modes }, () => renderBench(pipeline, rounds, modes, context.layout));
  const sound = modes.every(({ verdict }) => verdict === 'first' || verdict === 'same');
  return sound ? EXIT.done : EXIT.differs;
}
