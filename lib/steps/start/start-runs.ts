import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput, StrataError } from '../../core/errors.ts';
import { executionName, type Upload, uploadId } from '../../core/trigger.ts';
import { markFiles } from '../../lake/ops/marks.ts';
import type { AuditLog, Clock, Executions, Log, ObjectStore } from '../../ports.ts';

export type StartDeps = {
  readonly store: ObjectStore;
  readonly executions: Executions;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
};

/** An upload, and the message that reports it. */
export type ReportedUpload = { readonly message: string; readonly upload: Upload };

export type StartAnswer = {
  /** Names of the executions that began or were still going on. */
  readonly started: readonly string[];
  /** Messages that have to come again. */
  readonly failed: readonly string[];
};

/** Says into which execution an upload went; written before that is started. */
type Marker = { readonly execution: string } & Upload;

const KEYS_IN_DETAIL = 10;

/**
 * Starts one execution for those uploads of a batch that came for the first time. Each upload leaves a marker with the
 * name of its execution, so that an event that comes again, alone or among others, asks for the same execution once
 * more, which starts nothing. The name is a hash of the batch: when this dies among the markers or before the start, the
 * same batch goes on with the same name; a batch that has been put together otherwise gives the uploads without a
 * marker an execution of their own, which at worst finds nothing to do. No upload is lost: before anything else the whole batch
 * is marked for runs to take (lake/ops/marks.ts), so that each execution begins after the uploads that its name was made of are
 * marked. A batch that comes again after a run has taken it leaves a mark of files that are known, which the next run removes.
 * What fails, fails for the messages that it was about, not for the batch.
 */
export async function startRuns(
  pipeline: string,
  reported: readonly ReportedUpload[],
  deps: StartDeps,
): Promise<StartAnswer> {
  const uploads = new Map(reported.map(({ upload }) => [uploadId(upload), upload]));
  const execution = executionName([...uploads.values()]);
  if (uploads.size === 0) return { started: [], failed: [] };
  const isMarked = await unlessItFails(deps.log, execution, async () => {
    await markFiles(deps.store, pipeline, [...uploads.values()]);
    return true;
  });
  if (isMarked === undefined) return { started: [], failed: reported.map(({ message }) => message) };
  const failed = new Set<string>();
  const byExecution = new Map<string, string[]>();
  const marked = await mapConcurrent([...uploads], async ([id, upload]) => ({
    id,
    name: await unlessItFails(deps.log, upload.key, () => markUpload(deps.store, pipeline, { execution, ...upload })),
  }));
  for (const { id, name } of marked) {
    if (name === undefined) failed.add(id);
    else byExecution.set(name, [...(byExecution.get(name) ?? []), id]);
  }
  const started: string[] = [];
  for (const [name, ids] of byExecution) {
    const input = { pipeline, run_id: name, dry_run: false, wait: true, started_by: 'events' };
    const outcome = await unlessItFails(deps.log, name, () => deps.executions.start(name, input));
    deps.log.info('uploads', { execution: name, outcome: outcome ?? 'failed', uploads: ids.length });
    if (outcome === undefined) for (const id of ids) failed.add(id);
    if (outcome === 'started') started.push(name);
  }
  const keysOf = (name: string): readonly string[] =>
    (byExecution.get(name) ?? []).flatMap((id) => uploads.get(id)?.key ?? []);
  const row = { at: deps.clock.now(), function: 'starter', event: 'started' };
  await deps.audit.append(started.map((name) => ({ ...row, run_id: name, detail: listKeys(keysOf(name)) })));
  return {
    started,
    failed: reported.filter(({ upload }) => failed.has(uploadId(upload))).map(({ message }) => message),
  };
}

/** The name of the execution that an upload belongs to: the one at hand, unless it was given to another before. */
async function markUpload(store: ObjectStore, pipeline: string, marker: Marker): Promise<string> {
  const key = `ops/${pipeline}/_events/${uploadId(marker)}.json`;
  const bytes = new TextEncoder().encode(JSON.stringify(marker));
  if ((await store.write(key, bytes, { kind: 'absent' })).kind === 'written') return marker.execution;
  return executionIn(key, new TextDecoder().decode((await store.read(key)).bytes));
}

function executionIn(key: string, text: string): string {
  try {
    const { execution } = JSON.parse(text) as Partial<Marker>;
    if (typeof execution === 'string') return execution;
  } catch {
    // What follows says what to do about it.
  }
  throw new InvalidInput(`${key} names no execution; remove it, and report its upload again`);
}

/** A failure that has a name is its own messages' alone; anything else ends the call. */
async function unlessItFails<T>(log: Log, what: string, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof StrataError)) throw cause;
    log.warn('not done, to be tried again', { what, error: cause.name, cause: cause.message });
    return undefined;
  }
}

function listKeys(keys: readonly string[]): string {
  const rest = keys.length - KEYS_IN_DETAIL;
  return [...keys.slice(0, KEYS_IN_DETAIL), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}
