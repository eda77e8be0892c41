/**
 * Where files of a source come from when Strata itself lands them. Runs know nothing of it: they take the files. Secrets are
 * names here as everywhere.
 */
export type Origin = HttpOrigin | KafkaOrigin | PostgresOrigin;

/** Origins that are asked for all that they have, by `strata fetch`. */
export type FetchedOrigin = HttpOrigin | PostgresOrigin;

/** A list that an HTTP server answers, page by page. */
export type HttpOrigin = {
  readonly kind: 'http';
  /** Without a query, and without a name and password. */
  readonly url: string;
  readonly query: readonly Named[];
  readonly headers: readonly Named[];
  /** Left out: one answer has all. */
  readonly pages?: HttpPages;
  /** Milliseconds that one answer may take. */
  readonly timeoutMs: number;
  /** How often a page is asked for again. */
  readonly retries: number;
};

export type HttpPages = {
  /** At most so many are asked for; a page without records ends them earlier. */
  readonly count: number;
  /** The parameter that has a page's number, and the number of the first. */
  readonly number: string;
  readonly first: number;
  /** The parameter that has the number of records to a page, and that number; left out: by the server. */
  readonly size?: { readonly parameter: string; readonly rows: number };
};

/** A topic of Kafka, by whose records `strata consume` makes files. */
export type KafkaOrigin = {
  readonly kind: 'kafka';
  /** The name of the secret that says where the brokers are, and who asks. */
  readonly brokers: string;
  readonly topic: string;
};

/** A table of PostgreSQL, of which `strata fetch` lands the rows. */
export type PostgresOrigin = {
  readonly kind: 'postgres';
  /** The name of the secret that has the URL. */
  readonly secret: string;
  readonly schema: string;
  readonly table: string;
  /** What is taken of it, by names of the table. */
  readonly columns: readonly string[];
  /** SQL of the server, for a row; left out: all. */
  readonly where?: string;
  /** Ranges of a column that are taken side by side; left out: one. */
  readonly partition?: { readonly column: string; readonly parts: number };
  /** Rows are new whose value is at or beyond the highest that was taken, less what is taken again; left out: all are, each time. */
  readonly cursor?: { readonly column: string; readonly overlapMs: number };
};

/** What is known of each record, which is a column of the lines that are landed. */
export const RECORD_FIELDS = ['topic', 'partition', 'offset', 'timestamp_ms', 'key', 'headers', 'value'] as const;
export type RecordField = (typeof RECORD_FIELDS)[number];

/** A parameter or header, and its text or the name of the secret that has it. */
export type Named = { readonly name: string } & ({ readonly text: string } | { readonly secret: string });

/** The most records that a page may be asked for: servers give fewer, and say nothing, where one asks for more. */
export const MOST_ROWS_OF_A_PAGE = 250;

export function isFetched(origin: Origin): origin is FetchedOrigin {
  return origin.kind !== 'kafka';
}

/** The function that lands it on AWS: `lambdas/<name>.ts`. */
export function originFunction(origin: Origin): (typeof ORIGIN_FUNCTIONS)[number] {
  switch (origin.kind) {
    case 'http':
      return 'fetch';
    case 'kafka':
      return 'consume';
    case 'postgres':
      return 'extract';
  }
}

export const ORIGIN_FUNCTIONS = ['fetch', 'consume', 'extract'] as const;

/** The bundle that it is in: that which extracts has DuckDB and the client of PostgreSQL, as that which serves, beside which it lies. */
export function originBundle(name: (typeof ORIGIN_FUNCTIONS)[number]): 'fetch' | 'consume' | 'serve' {
  return name === 'extract' ? 'serve' : name;
}

/** The names of the secrets that it takes to ask it, each once. */
export function secretsOf(origin: Origin): readonly string[] {
  if (origin.kind === 'kafka') return [origin.brokers];
  if (origin.kind === 'postgres') return [origin.secret];
  return [...new Set([...origin.query, ...origin.headers].flatMap((one) => ('secret' in one ? [one.secret] : [])))];
}
