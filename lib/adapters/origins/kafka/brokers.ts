import { InvalidInput } from '../../../core/errors.ts';

/** Where the brokers are, and how they let one in. */
export type Brokers = {
  readonly hosts: readonly string[];
  readonly tls: boolean;
  readonly sasl?: { readonly mechanism: Mechanism; readonly username: string; readonly password: string };
};

export const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
type Mechanism = (typeof MECHANISMS)[number];

const FORM =
  /^(?:(plaintext|ssl|sasl_plaintext|sasl_ssl):\/\/)?(?:([^:@/?]*):([^@/?]*)@)?([^@/?]+?)\/?(?:\?mechanism=([\w-]+))?$/i;
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/;

/**
 * `host:9092,other:9092`, or `sasl_ssl://name:password@host:9092?mechanism=scram-sha-512`, name and password encoded as in URLs. Throws
 * InvalidInput for other text, of which it says nothing.
 */
export function parseBrokers(secret: string, text: string | undefined): Brokers {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') {
    throw new InvalidInput(
      `no secret ${secret}: expected the brokers of Kafka, in an environment variable of that name or, on AWS, a secret of that name`,
    );
  }
  const [, scheme = 'plaintext', name, password, places = '', mechanism = 'PLAIN'] = FORM.exec(trimmed) ?? [];
  const hosts = places.split(',').map((host) => host.trim());
  const kind = scheme.toLowerCase();
  const known = MECHANISMS.find((one) => one === mechanism.toUpperCase());
  const [user, pass] = [decode(name), decode(password)];
  const asked = kind.startsWith('sasl_');
  const sound =
    hosts.every((host) => HOST.test(host)) &&
    known !== undefined &&
    asked === (user !== undefined && pass !== undefined);
  if (!sound) {
    throw new InvalidInput(
      `the secret ${secret} says no brokers: expected host:9092,other:9092, with ssl:// before it for TLS, or ` +
        `sasl_ssl://name:password@host:9092?mechanism=scram-sha-512 (${MECHANISMS.join(', ')}), name and password encoded as in URLs`,
    );
  }
  return {
    hosts,
    tls: kind.endsWith('ssl'),
    ...(user === undefined || pass === undefined ? {} : { sasl: { mechanism: known, username: user, password: pass } }),
  };
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
