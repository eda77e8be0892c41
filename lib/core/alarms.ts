/** What someone has to look at on AWS, by the name of its alarm: what it means, and what to do, in Markdown. */
export const ALARMS = {
  ExecutionFailed: {
    means: 'a run failed; nothing or, rarely, a part of it was published',
    does: 'read the alert: it names error and cause. Put that right, then `strata run --aws <pipeline>`, which first finishes what was begun, or `strata executions redrive --aws <pipeline>`, with the code that the run began with. Files that landed wait',
  },
  EndedOtherwise: {
    means: 'an execution timed out or was stopped, or maintenance failed (no row has changed); an alert says which',
    does: '`strata run --aws <pipeline>` finishes what was begun, as does the next run. Of maintenance put right what the alert names, and run the command that it names',
  },
  DeadLetters: {
    means: 'an event could not be delivered or dealt with five times',
    does: '`strata dead-letters list --aws <pipeline>` shows what each is about, and why; `dead-letters redrive` sends it once more. `strata run --aws` takes whatever has landed in the meantime, and then `dead-letters delete --all` removes what is dealt with',
  },
  Throttled: {
    means:
      'Lambda refused calls in this account and region, be they of this pipeline or of others that share the quota',
    does: 'the metric Throttles by function says whose; ask for a higher quota, lower `compute.maxConcurrency`, or set `reservedConcurrency`',
  },
  NearTimeout: {
    means: 'a call took more than 80 % of its time',
    does: 'find the function; lower `settings.unitBytes`, or raise `compute.steps.<Step>.memory`, which brings CPU',
  },
  NearMemory: {
    means: 'a worker used more than 90 % of its memory',
    does: 'find the function; raise `compute.steps.<Step>.memory` or lower `settings.unitBytes`',
  },
  QuarantineRate: {
    means: 'a run rejected more rows than promised',
    does: '`strata quarantine list --aws <pipeline>` counts them by code; `quarantine show` has the raw rows',
  },
  Freshness: {
    means: 'no run has succeeded in that time, or none since deploying',
    does: '`strata runs --aws <pipeline>` shows what failed, `strata executions list --aws <pipeline>` what waits and where; else look for a schedule that is disabled, or an uploader that stopped',
  },
  Promises: {
    means:
      'when a run had ended, well or not, something that is promised was not kept, or its error budget was used up',
    does: '`strata status --aws <pipeline>` says which, and what is left of each budget; `strata report --aws --out page` has when it was missed, run by run',
  },
} as const satisfies Readonly<Record<string, { readonly means: string; readonly does: string }>>;

export type AlarmName = keyof typeof ALARMS;
