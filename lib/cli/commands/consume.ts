import { consumeSource, topicOf } from '../../runtime/origins/consume-source.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatBytes, formatQuantity } from '../output/human.ts';

export type ConsumeOptions = {
  /** Milliseconds. */
  readonly untilIdle?: number;
  readonly skipLost?: boolean;
};

/** Lands the records of a topic until nothing comes, or until the command is asked to end. */
export async function consume(
  context: Context,
  pipeline: string,
  source: string,
  { untilIdle, skipLost = false }: ConsumeOptions,
): Promise<number> {
  const spec = await (await openLake(context, 'read')).deps.specs(pipeline);
  const { topic } = topicOf(spec, source);
  const lake = await openLake(context, 'write');
  await lake.make();
  return await context.interruptible(async (interrupted) => {
    const consumed = await consumeSource(lake.deps, spec, source, {
      ...(untilIdle === undefined ? {} : { idleMs: untilIdle }),
      ...{ skipLost, interrupted },
      onRetry: ({ message }) => context.note(`${message}; trying again`),
    });
    const { files, records, bytes } = consumed;
    await context.answer({ pipeline, source, topic, ...consumed }, () =>
      [
        `landed ${formatQuantity(records, 'record')} of topic ${topic} in ${formatQuantity(files, 'file')}, ${formatBytes(bytes)}`,
        ...(files === 0 ? [] : ['', 'next:', `  ${context.hint(`run ${pipeline}`)}`]),
        '',
      ].join('\n'),
    );
    interrupted.throwIfAborted();
    return EXIT.done;
  });
}
