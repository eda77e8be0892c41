import { openKafkaTopic } from '../../adapters/origins/kafka/topic.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { KafkaOrigin } from '../../core/origins.ts';
import type { PipelineSpec, SourceSpec } from '../../core/spec.ts';
import { oneOf } from '../../core/suggest.ts';
import { type Consumed, type ConsumeEvents, consumeTopic } from '../../lake/topics/consume.ts';
import { AWS_AGE_MS, type ConsumeSettings, CUTS } from '../../lake/topics/settings.ts';
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
  return consumeOrigin(deps, { pipeline: spec.name, source, origin: topicOf(spec, source) }, asked);
}

/** What a call that is short of time leaves for what it has read to be landed. */
const LANDING_MS = 60_000;
/** A call ends where nothing more comes: the next one goes on. */
const AWS_IDLE_MS = 2_000;

/** What a topic has since the call before, by a function that may take so long and is called on a schedule. */
export async function consumeScheduled(
  deps: FetchDeps,
  pipeline: string,
  { name, origin }: Pick<SourceSpec, 'name' | 'origin'>,
  { mayTakeMs, ...events }: ConsumeEvents & { readonly mayTakeMs: number },
): Promise<Consumed> {
  if (origin?.kind !== 'kafka') {
    throw new InvalidInput(`source ${name} of pipeline ${pipeline}: got no topic; expected one made by kafka({ ... })`);
  }
  const limitMs = Math.max(0, mayTakeMs - LANDING_MS);
  const settings = { ageMs: AWS_AGE_MS, idleMs: AWS_IDLE_MS, limitMs, all: false };
  return consumeOrigin(deps, { pipeline, source: name, origin }, { ...settings, ...events });
}

type OfSource = { readonly pipeline: string; readonly source: string; readonly origin: KafkaOrigin };

async function consumeOrigin(
  deps: FetchDeps,
  { pipeline, source, origin }: OfSource,
  asked: Partial<ConsumeSettings> & ConsumeEvents,
): Promise<Consumed> {
  const { store, clock, wait } = deps;
  await using reader = await openKafkaTopic(origin, { secret: deps.secret ?? (async () => undefined) });
  const topic = { pipeline, source, topic: origin.topic };
  const settings = { ...CUTS, all: true, skipLost: false, ...asked };
  return await consumeTopic({ store, clock, wait, reader }, topic, settings, asked);
}
