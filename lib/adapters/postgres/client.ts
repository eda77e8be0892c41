import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { Statement } from '../../core/statement.ts';

/** A connection to PostgreSQL. Errors are those of `explainPostgres`. */
export type Connection = AsyncDisposable & {
  run(statement: Statement): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Sends a local file as what a COPY ... FROM STDIN reads. */
  copyIn(statement: Statement, path: string): Promise<Copied>;
  /** Writes what a COPY ... TO STDOUT sends to a local file, which is made. */
  copyOut(statement: Statement, path: string): Promise<void>;
};

export type Copied = { readonly rows: number; readonly sha256: string };

/** Where to connect to: the URL is a secret. */
export type PostgresPlace = {
  /** The name of the secret. */
  readonly secret: string;
  /** What it is; undefined where there is none. */
  readonly read: (name: string) => Promise<string | undefined>;
  /** Rows hold what is personal: errors quote no value. */
  readonly hidesValues?: boolean;
};

/** The two packages that a project installs which serves to PostgreSQL, or reads from it. */
export type Clients = typeof import('./load.ts').clients;

/** The URL. No error says what it is, nor any part of it. Throws InvalidInput. */
export async function urlOf({ secret, read }: PostgresPlace): Promise<string> {
  const text = (await read(secret))?.trim() ?? '';
  if (text === '') {
    throw new InvalidInput(
      `no secret ${secret}: expected the URL of a PostgreSQL, postgres://user:password@host:5432/database, in an environment variable of that name or, on AWS, a secret of that name`,
    );
  }
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  if (protocol === 'postgres:' || protocol === 'postgresql:') return text;
  throw new InvalidInput(
    `the secret ${secret} is no URL of a PostgreSQL: expected postgres://user:password@host:5432/database, with what stands between these encoded as in a URL`,
  );
}

/** By SQLSTATE, or the first two characters of one: what passes. Source: postgresql.org/docs/current/errcodes-appendix.html */
const PASSING = ['08', '40', '53', '55P03', '57', '58'];
/** What the system says of connections. */
const PASSING_SYSTEM = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
];

/** Words of these quote what was read or, of functions of the server's own, anything. */
const QUOTING = ['22', 'P0'];

/** What the server, or the way to it, said: which statement of ours failed, and why. Words that name the host or the user are left out. */
export function explainPostgres(
  { secret, hidesValues = false }: Pick<PostgresPlace, 'secret' | 'hidesValues'>,
  at: string,
  cause: unknown,
): Error {
  if (cause instanceof InvalidInput || cause instanceof Unavailable) return cause;
  const { code, message, detail } = cause as { code?: unknown; message?: unknown; detail?: unknown };
  const state = typeof code === 'string' ? code : '';
  const where = `the PostgreSQL of the secret ${secret}`;
  if (PASSING_SYSTEM.includes(state)) return new Unavailable(`${where} does not answer at ${at} (${state})`);
  if (state === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new InvalidInput(`${where} cannot be used at ${at}: its certificate is that of another host (${state})`);
  }
  if (!/^[0-9A-Z]{5}$/.test(state)) {
    // Of the client itself: a connection that ended, or was not made in time.
    const lost = /terminated|timeout|closed|not queryable|ended/i.test(String(message));
    return lost
      ? new Unavailable(`${where} does not answer at ${at} (the connection ended)`)
      : new InvalidInput(`${where} cannot be used at ${at}: ${withoutUrl(String(message))}`);
  }
  if (state.startsWith('28')) {
    return new InvalidInput(
      `${where} refuses its user or password (${state}); expected one that may log in: put the right URL into the secret`,
    );
  }
  if (state === '3D000') {
    return new InvalidInput(
      `${where} has no database of the name in the URL (${state}); make it, or put the right URL into the secret`,
    );
  }
  const quotes = hidesValues && QUOTING.some((one) => state.startsWith(one));
  // A detail may be the row.
  const more = typeof detail === 'string' && !hidesValues ? ` (${detail})` : '';
  const said = quotes ? 'its words may quote a personal value, and are withheld' : withoutNames(`${message}${more}`);
  if (PASSING.some((one) => state.startsWith(one))) return new Unavailable(`${where}, at ${at}: ${said} (${state})`);
  return new InvalidInput(`${where} refuses ${at}: ${said} (${state})`);
}

/** Who logs in, and where, is of the URL. */
function withoutNames(words: string): string {
  return words.replaceAll(/\b(role|user|database) (?:"[^"]*"|\S+$)/g, '$1');
}

/** Messages of URL and of TLS may have what they are about. */
function withoutUrl(message: string): string {
  return message.replaceAll(/postgres(ql)?:\S+/g, 'its URL');
}
