import { openKafkaTopic } from '../../adapters/origins/kafka/topic.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { KafkaOrigin } from '../../core/origins.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { oneOf } from '../../core/suggest.ts';
import { type Consumed, type ConsumeEvents, consumeTopic } from '../../lake/topics/consume.ts';
import { type ConsumeSettings, CUTS } from '../../lake/topics/settings.ts';
import type { FetchDeps } from './fetch-sources.ts';

/** The topic of a source. Throws InvalidInput for a source that has none. */
export function topicOf(spec: Pick<PipelineSpec, 'name' | 'sources'>, source: string): KafkaOrigin {
  const found = spec.sources.find(({ name }) => name === source);
  if (found?.origin?.kind === 'kafka') return found.origin;
  const names = spec.sources.flatMap(({ name, origin }) => (origin?.kind === 'kafka' ? [name] : []));
  const expected = names.length === 0 ? 'one made by kafka({ ... })' : oneOf(source, names);
  throw new InvalidInput(
    `source ${JSON.stringify(source)} of pipeline ${spec.name}: got ${found === undefined ? 'no such source' : 'no topic'}; expected ${expected}`,
  );
}

/** Lands the records of a source's topic until it is told to end. Throws as `consumeTopic` and `openKafkaTopic` do. */
export async function consumeSource(
  deps: FetchDeps,
  spec: Pick<PipelineSpec, 'name' | 'sources'>,
  source: string,
  asked: Partial<ConsumeSettings> & ConsumeEvents,
): Promise<Consumed> {
  const origin = topicOf(spec, source);
  const { store, clock, wait } = deps;
  await using reader = await openKafkaTopic(origin, { secret: deps.secret ?? (async () => undefined) });
  const topic = { pipeline: spec.name, source, topic: origin.topic };
  const settings = { ...CUTS, all: true, skipLost: false, ...asked };
  return await consumeTopic({ store, clock, wait, reader }, topic, settings, asked);
}
