import { SECRET_NAME } from './webhook.ts';

/** Where a pipeline tells what its runs did, as OpenLineage events. Of a key everything has the name of its secret alone. */
export type LineageReceiver = {
  /** An address where a collector listens, or `eventbridge:<name or ARN of a bus>`. */
  readonly to: string;
  /** Of jobs and datasets; left out: where the lake is. */
  readonly namespace?: string;
  readonly secret?: string;
};

const BUS = 'eventbridge:';
/** What follows a `?` may be a key. */
const ADDRESS = /^https?:\/\/[^@\s?#]+$/;
const BUS_NAME = /^(?:arn:[\w-]+:events:[\w-]+:\d{12}:event-bus\/)?[\w./-]{1,256}$/;

/** Whether events can be sent there by whoever runs the pipeline, on whichever machine. */
export function isReceiver(to: string): boolean {
  return busOf(to) === undefined ? ADDRESS.test(to) && URL.canParse(to) : BUS_NAME.test(to.slice(BUS.length));
}

/** The name or the ARN of the bus; undefined for what is no bus. */
export function busOf(to: string): string | undefined {
  return to.startsWith(BUS) ? to.slice(BUS.length) : undefined;
}

/** As one text, for the environment of a function. */
export function renderReceiver({ to, namespace, secret }: LineageReceiver): string {
  return JSON.stringify({ to, ...(namespace && { namespace }), ...(secret && { secret }) });
}

/** Undefined for a text that is none. */
export function parseReceiver(text: string): LineageReceiver | undefined {
  const { to, namespace, secret } = objectIn(text);
  if (typeof to !== 'string' || !isReceiver(to)) return undefined;
  return {
    to,
    ...(typeof namespace === 'string' && { namespace }),
    ...(typeof secret === 'string' && SECRET_NAME.test(secret) && { secret }),
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
}
