import { setTimeout as sleep } from 'node:timers/promises';
import type { AskAws } from '../../core/aws-question.ts';
import { InvalidInput } from '../../core/errors.ts';
import { busOf, type LineageReceiver } from '../../core/lineage-receiver.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { ObjectStore, SendEvents } from '../../ports.ts';
import { openLineageEvents } from '../../report/openlineage/events.ts';

/** What is not taken at once is told again after the next run: so none waits for long. */
export const IN_PASSING = { attempts: 1, timeoutMs: 5_000 };

/** Where the lake is, without the layer: the namespace of its jobs and datasets. */
export function namespaceOf(store: Pick<ObjectStore, 'location'>): string {
  return store.location('gold/_').replace(/(?:\/gold)?\/_$/, '');
}

/** Makes events of runs as their pipelines name those. */
export function lineageOf(store: Pick<ObjectStore, 'location'>): Required<Pick<StepDeps, 'lineage'>> {
  return {
    lineage: {
      events: (spec, recorded) =>
        openLineageEvents(spec, recorded, { namespace: spec.openlineage?.namespace ?? namespaceOf(store) }),
    },
  };
}

/** What sending needs: secrets by their names, and for a bus AWS. */
export type SenderDeps = {
  readonly read: (name: string) => Promise<string | undefined>;
  readonly ask: () => Promise<AskAws>;
};

/** Throws InvalidInput for a key that is not there. */
export async function senderTo({ to, secret }: LineageReceiver, { read, ask }: SenderDeps): Promise<SendEvents> {
  const bus = busOf(to);
  // Most runs tell nobody, and none needs both.
  if (bus !== undefined) {
    const { createBusEvents } = await import('../../adapters/openlineage/eventbridge.ts');
    return createBusEvents(await ask(), bus);
  }
  const key = secret === undefined ? undefined : await read(secret);
  if (secret !== undefined && (key ?? '').trim() === '') {
    throw new InvalidInput(
      `openlineage: no secret ${secret} here: expected the key of ${new URL(to).origin} in the environment`,
    );
  }
  const { createHttpEvents } = await import('../../adapters/openlineage/http.ts');
  return createHttpEvents(to, { key, wait: (ms) => sleep(ms), ...IN_PASSING });
}
