/** What a message among the dead letters of a pipeline is about, and with that how it is dealt with once more. */
export type DeadLetter =
  /** An event that the pipeline listens to: it goes to the queue that the starter reads. */
  | { readonly kind: 'event'; readonly about: string }
  /** What a schedule should have started. */
  | { readonly kind: 'schedule'; readonly about: string; readonly start: ScheduledStart }
  /** A call of a function, or somebody's own message: nothing that could be repeated from here. */
  | { readonly kind: 'other'; readonly about: string };

export type ScheduledStart = { readonly stateMachineArn: string; readonly name: string; readonly input: string };

const LONGEST = 200;

/** Reads the body of a message; `id` is its own. */
export function readDeadLetter(id: string, body: string): DeadLetter {
  const content = recordOf(parse(body));
  const type = content['detail-type'];
  const detail = recordOf(content['detail']);
  if (type === 'Object Created') return { kind: 'event', about: `upload ${textOf(recordOf(detail['object'])['key'])}` };
  if (type === 'Step Functions Execution Status Change') {
    return { kind: 'event', about: `execution ${textOf(detail['executionArn'])} ${textOf(detail['status'])}` };
  }
  const { StateMachineArn: stateMachineArn, Name, Input } = content;
  if (typeof stateMachineArn === 'string' && typeof Name === 'string' && typeof Input === 'string') {
    return {
      kind: 'schedule',
      about: `schedule of ${stateMachineArn}`,
      start: startOf(id, stateMachineArn, Name, Input),
    };
  }
  const failed = recordOf(content['requestContext'])['functionArn'];
  if (typeof failed === 'string') return { kind: 'other', about: `call of ${failed}` };
  return { kind: 'other', about: body.slice(0, LONGEST) };
}

/** What the scheduler writes in its place when it calls; a letter that still has it gets the letter's own id. */
const SCHEDULER_ID = '<aws.scheduler.execution-id>';

/** The same of when it fired, which the letter does not know: a branch takes the period that is due by then. */
const SCHEDULER_TIME = '<aws.scheduler.scheduled-time>';

function startOf(id: string, stateMachineArn: string, name: string, input: string): ScheduledStart {
  const { fired_at, ...others } = recordOf(parse(input));
  const known = fired_at === SCHEDULER_TIME ? JSON.stringify(others) : input;
  return { stateMachineArn, name: name.replaceAll(SCHEDULER_ID, id), input: known.replaceAll(SCHEDULER_ID, id) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
