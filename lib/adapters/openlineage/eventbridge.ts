import type { AskAws } from '../../core/aws-question.ts';
import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { SendEvents } from '../../ports.ts';

/** Source: docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MOST_ENTRIES = 10;
const MOST_BYTES = 256 * 1024;
const SOURCE = 'strata';
const DETAIL_TYPE = 'OpenLineage RunEvent';

type Answer = {
  readonly FailedEntryCount?: number;
  readonly Entries?: readonly { readonly ErrorCode?: string }[];
};

/**
 * Puts events on a bus, one a call where they are large. Throws InvalidInput for an event that no bus takes, and for what has to be granted;
 * Unavailable where some were not taken: all are put again then, which collectors know by the run.
 */
export function createBusEvents(ask: AskAws, bus: string): SendEvents {
  return async (events) => {
    for (const group of grouped(events.map((event) => JSON.stringify(event)))) {
      const Entries = group.map((detail) => ({
        EventBusName: bus,
        Source: SOURCE,
        DetailType: DETAIL_TYPE,
        Detail: detail,
      }));
      const { text } = await ask({
        service: 'events',
        action: 'events:PutEvents',
        kind: 'json',
        target: 'AWSEvents.PutEvents',
        body: { Entries },
      });
      const answer = JSON.parse(text) as Answer;
      const failed = answer.Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
      if ((answer.FailedEntryCount ?? 0) > 0) {
        throw new Unavailable(
          `events:PutEvents on ${bus}: ${answer.FailedEntryCount} of ${group.length} events were not taken: ${failed?.ErrorCode}`,
        );
      }
    }
  };
}

function grouped(details: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let bytes = MOST_BYTES;
  for (const detail of details) {
    const size = Buffer.byteLength(detail) + Buffer.byteLength(SOURCE) + Buffer.byteLength(DETAIL_TYPE);
    if (size > MOST_BYTES)
      throw new InvalidInput(`an event of ${size} bytes: a bus takes ${MOST_BYTES}; send it to a file or by HTTP`);
    const last = groups.at(-1);
    if (last === undefined || last.length === MOST_ENTRIES || bytes + size > MOST_BYTES) {
      groups.push([detail]);
      bytes = size;
    } else {
      last.push(detail);
      bytes += size;
    }
  }
  return groups;
}
