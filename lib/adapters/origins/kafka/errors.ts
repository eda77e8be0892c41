import { InvalidInput, StrataError, Unavailable } from '../../../core/errors.ts';

export const LOOKING = 'looking at';

export type KafkaContext = {
  readonly what: typeof LOOKING | 'reading';
  readonly topic: string;
  readonly secret: string;
};

/** What only a person can change. Source: kafka.apache.org/protocol#protocol_error_codes */
const REFUSED: Readonly<Record<string, (context: KafkaContext) => string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: ({ topic, secret }) =>
    `no topic ${topic} at the brokers of ${secret}, or none that may be described: expected one; create it, or correct its name`,
  INVALID_TOPIC_EXCEPTION: ({ topic }) => `the brokers take ${topic} for no name of a topic`,
  TOPIC_AUTHORIZATION_FAILED: ({ topic, secret }) =>
    `who asks by the secret ${secret} may not read the topic ${topic}: allow DESCRIBE and READ on it`,
  CLUSTER_AUTHORIZATION_FAILED: ({ secret }) => `who asks by the secret ${secret} is not let in by the brokers`,
  SASL_AUTHENTICATION_FAILED: ({ secret }) => `the brokers refuse the name or password of the secret ${secret}`,
  UNSUPPORTED_SASL_MECHANISM: ({ secret }) => `the brokers do not know the mechanism that the secret ${secret} says`,
};

/**
 * What a failure of the client comes to. Its own words may name hosts and users, and beside them it has what brokers answered, records of
 * other partitions among it; logs write causes out with all that they have, so that only codes go on from here. What is not known to be
 * final is taken for passing.
 */
export function explainKafka(cause: unknown, context: KafkaContext): unknown {
  if (cause instanceof StrataError) return cause;
  const ids = idsIn(cause);
  // That is how the client says that there is none.
  if (ids.includes('PLT_KFK_USER') && context.what === LOOKING) ids.push('UNKNOWN_TOPIC_OR_PARTITION');
  const refused = ids.find((id) => Object.hasOwn(REFUSED, id));
  const say = refused === undefined ? undefined : REFUSED[refused];
  if (say !== undefined) return new InvalidInput(say(context));
  if (ids.includes('PLT_KFK_AUTHENTICATION')) {
    return new InvalidInput(REFUSED['SASL_AUTHENTICATION_FAILED']?.(context) ?? '');
  }
  if (!ids.some((id) => id.startsWith('PLT_KFK_'))) return cause;
  const known = ids.filter((id) => !id.startsWith('PLT_KFK_MULTIPLE')).slice(0, 3);
  return new Unavailable(
    `${context.what} the topic ${context.topic} failed: the brokers of the secret ${context.secret} did not answer as they should (${known.join(', ')})`,
  );
}

/** The codes of an error and of all that caused it. */
function idsIn(cause: unknown, depth = 0): string[] {
  if (typeof cause !== 'object' || cause === null || depth > 8) return [];
  const { code, apiId, errors, cause: inner } = cause as Readonly<Record<string, unknown>>;
  const own = [apiId, code].filter((one) => typeof one === 'string');
  const more = [...(Array.isArray(errors) ? errors : []), inner].flatMap((one) => idsIn(one, depth + 1));
  return [...new Set([...own, ...more])];
}
