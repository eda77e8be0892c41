import { runNotify } from '../../steps/end/notify.ts';
import { notifyDeps } from './light.ts';
import { endedOtherwise, parseFailure } from './light-events.ts';
import type { Invocation } from './telemetry.ts';
import type { Uploads } from './uploads.ts';

/** Sends the one alert of each execution that ended without its own; answers the messages of those that could not be told of. */
export async function tellEnds(
  ends: Uploads['ends'],
  { log, measure }: Pick<Invocation, 'log' | 'measure'>,
): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { message, event } of ends) {
    try {
      if (endedOtherwise(event)) measure('EndedOtherwise', 1);
      const { pipeline, ...deps } = notifyDeps(log);
      await runNotify(parseFailure(pipeline, event), deps);
    } catch (cause) {
      log.warn('nobody could be told of an execution that ended', { message, cause: String(cause) });
      failed.push(message);
    }
  }
  return failed;
}
