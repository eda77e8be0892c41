import { executionName, type Upload, uploadId } from '../core/trigger.ts';
import type { AuditLog, Clock, Executions, Log, ObjectStore } from '../ports.ts';
import { readJsonIfAny, writeOnce } from './run-folder.ts';

export type StartDeps = {
  readonly store: ObjectStore;
  readonly executions: Executions;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
};

/** Says into which execution an upload went; written before that is started. */
type Marker = { readonly execution: string };

/**
 * Starts one execution for the uploads of a batch that no execution was started for. Each upload leaves a marker that
 * names its execution, so an event that comes again, alone or among others, asks for that execution once more, which
 * starts nothing. When this dies between markers and start, the batch comes again and the start is made up for; when it
 * dies between markers, the rest of the batch goes into an execution of its own, which at worst finds nothing to do.
 */
export async function startRuns(
  pipeline: string,
  batch: readonly Upload[],
  deps: StartDeps,
): Promise<readonly string[]> {
  const uploads = [...new Map(batch.map((upload) => [uploadId(upload), upload])).values()];
  const known = await Promise.all(uploads.map((one) => readJsonIfAny<Marker>(deps.store, markerKey(pipeline, one))));
  const fresh = uploads.filter((_, at) => known[at] === undefined);
  const execution = executionName(fresh);
  const marked = await Promise.all(
    fresh.map((one) => writeOnce<Marker>(deps.store, markerKey(pipeline, one), { execution })),
  );
  const names = [...known, ...marked].flatMap((marker) => marker?.execution ?? []);
  const started: string[] = [];
  for (const name of new Set(names)) {
    const input = { pipeline, run_id: name, dry_run: false, wait: true };
    const outcome = await deps.executions.start(name, input);
    if (outcome === 'started') started.push(name);
    deps.log.info('uploads', { execution: name, outcome, uploads: names.filter((one) => one === name).length });
  }
  await deps.audit.append(
    started.map((name) => ({
      at: deps.clock.now(),
      function: 'starter',
      event: 'started',
      run_id: name,
      detail: `${names.filter((one) => one === name).length} uploads`,
    })),
  );
  return started;
}

function markerKey(pipeline: string, upload: Upload): string {
  return `ops/${pipeline}/_events/${uploadId(upload)}.json`;
}
