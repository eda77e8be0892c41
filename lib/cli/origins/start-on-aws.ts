import { deploymentNames } from '../../core/deployment-names.ts';
import { InvalidInput } from '../../core/errors.ts';
import { type StartedOrigin, startOrigin } from '../../remote/origins/start-origin.ts';
import { topicOf } from '../../runtime/origins/consume-source.ts';
import { fetchedSources } from '../../runtime/origins/fetch-sources.ts';
import { openAccount } from '../../runtime/remote-account.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import type { ConsumeOptions } from '../commands/consume.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';

/** Starts the deployed functions that fetch sources: one, or all that can be fetched. */
export async function fetchOnAws(
  context: Context,
  pipeline: string,
  source: string | undefined,
  place: RemotePlace,
): Promise<number> {
  const spec = await (await openLake(context, 'read')).deps.specs(pipeline);
  const sources = fetchedSources(spec, source).map(({ name }) => name);
  return start(context, pipeline, sources, place);
}

/** Starts the deployed function that consumes the topic of a source. Throws InvalidInput for what only a consumer here can be told. */
export async function consumeOnAws(
  context: Context,
  pipeline: string,
  source: string,
  { untilIdle, skipLost, place }: ConsumeOptions & { readonly place: RemotePlace },
): Promise<number> {
  if ((untilIdle ?? skipLost) !== undefined) {
    throw new InvalidInput(
      '--until-idle or --skip-lost with --aws: the function ends by itself, and skips nothing; leave them out',
    );
  }
  topicOf(await (await openLake(context, 'read')).deps.specs(pipeline), source);
  return start(context, pipeline, [source], place);
}

async function start(
  context: Context,
  pipeline: string,
  sources: readonly string[],
  { deployment }: RemotePlace,
): Promise<number> {
  const names = deploymentNames(deployment, '--stage');
  const { ask } = openAccount();
  const started: StartedOrigin[] = [];
  for (const source of sources) started.push(await startOrigin(ask, names, { pipeline, source }));
  await context.answer({ pipeline, started }, () =>
    [
      ...started.map(
        (one) => `${one.source}: ${one.function} is started; what it lands starts a run, and its log says what that is`,
      ),
      '',
    ].join('\n'),
  );
  return EXIT.done;
}
