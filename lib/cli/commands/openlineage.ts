import { type RunsAsked, recordedRuns } from '../../query/recorded-runs.ts';
import { openLineageEvents } from '../../report/openlineage/events.ts';
import { namespaceOf } from '../../runtime/lineage/teller.ts';
import { eventLines, sendEventsTo } from '../../runtime/send-events.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatQuantity } from '../output/human.ts';

export type OpenLineageRequest = {
  readonly pipeline: string;
  readonly runs: RunsAsked;
  /** A file, a URL or `eventbridge:<bus>`; left out: stdout. */
  readonly to?: string;
  readonly namespace?: string;
};

/** Tells what runs did as OpenLineage events, one a line where they are printed or written. */
export async function openlineage(context: Context, request: OpenLineageRequest): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const spec = await deps.specs(request.pipeline);
  const namespace = request.namespace ?? spec.openlineage?.namespace ?? namespaceOf(deps.store);
  const recorded = await recordedRuns(deps, request.pipeline, request.runs);
  const events = recorded.flatMap((run) => openLineageEvents(spec, run, { namespace }));
  if (request.to === undefined) {
    await context.printData(eventLines(events));
    return EXIT.done;
  }
  await (await sendEventsTo(request.to))(events);
  const { to } = request;
  await context.answer(
    { pipeline: spec.name, runs: recorded.length, events: events.length, to },
    () =>
      `told ${to} of ${formatQuantity(recorded.length, 'run')} of ${spec.name} in ${formatQuantity(events.length, 'event')}\n`,
  );
  return EXIT.done;
}
