import type { RecordField } from '../core/origins.ts';
import type { DriftPolicy } from '../core/spec.ts';
import type { ColumnDefinition, ColumnsDefinition, ColumnTypeText } from './columns.ts';
import type { Secret } from './secret.ts';

/** What every kind of source has. */
export type SourceOptions = {
  /** The contract: the columns the files must have. */
  readonly columns: ColumnsDefinition;
  /**
   * The business key: the columns, by their names in SQL (`as`), that say which rows are about the same thing. A key that
   * was rejected three times is condemned at its fourth arrival. Left out: attempts are counted by the whole row.
   */
  readonly key?: string | readonly string[];
  /**
   * What happens when a file has columns that the contract does not name. Default `'fail'`: nothing is dropped or
   * added until a person decides.
   * - `'fail'`: the file is rejected, with the columns named in the ledger, and the run goes on without it. JSON rows name
   *   their own columns, so there it is the row that is quarantined.
   * - `'ignore'`: the extra columns stay in bronze only.
   * - `'evolve'`: they become nullable columns of silver tables that `select *`.
   */
  readonly drift?: DriftPolicy;
  /**
   * Files below the source's folder that are none of its own, such as `['_temporary/**', '_SUCCESS']`: paths relative to the
   * folder, in which `*` stands for any text without `/`, `?` for one character, and `**`, between slashes, for any folders.
   * Default: none.
   */
  readonly ignore?: readonly string[];
  /** One of the pipeline's `schedules`: runs of that branch alone take its files, and silver tables made from it are of that branch. */
  readonly branch?: string;
};

export type CsvOptions = SourceOptions & {
  /** Between fields, one character. Default `','`. */
  readonly delimiter?: string;
  /** Around fields, one character, or `''` for none. Default `'"'`. */
  readonly quote?: string;
  /** Before a quote inside a quoted field, one character, or `''` for none. Default: the quote (it is doubled). */
  readonly escape?: string;
  /** True: the first line names the columns. False: they come in the contract's order. Default true. */
  readonly header?: boolean;
  /** Default `'utf-8'`. */
  readonly encoding?: 'utf-8' | 'utf-16' | 'latin-1';
  /** Text that means NULL, one or several. Default `''`. */
  readonly nullText?: string | readonly string[];
};

export type JsonOptions = SourceOptions & {
  /** `'lines'`: one object per line. `'array'`: one array of objects. Default `'lines'`. */
  readonly layout?: 'lines' | 'array';
};

export type ParquetOptions = SourceOptions;

/** Of `csv()`, what a file beside the pipeline may have: it is UTF-8, and nothing lies beside it. */
export type SeedOptions = Omit<CsvOptions, 'encoding' | 'ignore'>;

/** Pages that are asked for one after the other, until one has no records. */
export type HttpPages = {
  /** The most that are asked for. */
  readonly count: number;
  /** Records to a page, at most 250: servers give fewer than that to who asks for more. Left out: what the server gives. */
  readonly rows?: number;
  /** The parameter that has a page's number. Default `'page'`. */
  readonly number?: string;
  /** The parameter that has `rows`. Default `'per_page'`. */
  readonly size?: string;
  /** The number of the first page. Default 1. */
  readonly first?: number;
};

export type HttpOptions = SourceOptions & {
  /** Where a list is asked for: `'https://api.example.org/markets'`. Its parameters are the `query`. */
  readonly url: `https://${string}` | `http://${string}`;
  /** Parameters by name. What says who asks is a secret: `{ api_key: secret('API_KEY') }`. */
  readonly query?: { readonly [parameter: string]: string | number | boolean | Secret };
  /** Headers by name, secrets as in `query`. */
  readonly headers?: { readonly [name: string]: string | Secret };
  /** Left out: one answer has the whole list. */
  readonly pages?: HttpPages;
  /** How long one answer may take, at most 5 minutes. Default `'15s'`. */
  readonly timeout?: `${number}${'s' | 'm'}`;
  /** How often a page is asked for again that the server did not give. Default 3. */
  readonly retries?: number;
};

export type KafkaOptions = Omit<SourceOptions, 'columns'> & {
  /**
   * Where the brokers are and who asks, as a secret: `'host:9092,other:9092'`, or with what it takes to be let in,
   * `'sasl_ssl://name:password@host:9092?mechanism=scram-sha-512'`.
   */
  readonly brokers: Secret;
  readonly topic: string;
  /**
   * What is taken of each record beside its topic, partition, offset, time (`timestamp_ms`, in SQL `sent_at`) and value, or
   * otherwise: `{ value: 'struct<id: bigint>', key: 'string' }`.
   */
  readonly columns?: { readonly [field in RecordField]?: ColumnDefinition | ColumnTypeText };
};

export type KafkaSource = Omit<KafkaOptions, 'columns'> & {
  readonly columns: ColumnsDefinition;
  readonly format: 'json';
  readonly layout: 'lines';
  readonly origin: 'kafka';
};
export type HttpSource = HttpOptions & { readonly format: 'json'; readonly layout: 'array'; readonly origin: 'http' };
export type PostgresOptions = SourceOptions & {
  /** Where the server is and who asks, as a secret: `secret('SALES_URL')`. */
  readonly url: Secret;
  /** With its schema where that is not `public`: `'sales.orders'`. */
  readonly table: string;
  /** Which rows, in SQL of the server: `"region = 'EU'"`. Left out: all. */
  readonly where?: string;
  /** Ranges of a column of whole numbers, of equal width, that are taken side by side. */
  readonly partition?: { readonly column: string; readonly bounds?: 'auto'; readonly parts: number };
  /** A column that grows when a row is written, such as `'updated_at'`: only what is new is taken. Left out: all rows, each time. */
  readonly cursor?: string;
  /** How far back a cursor of time goes again, for rows whose transaction ended late. Default `'5m'`. */
  readonly overlap?: `${number}${'s' | 'm' | 'h' | 'd'}`;
};

export type PostgresSource = PostgresOptions & { readonly format: 'parquet'; readonly origin: 'postgres' };
export type CsvSource = CsvOptions & { readonly format: 'csv' };
export type JsonSource = JsonOptions & { readonly format: 'json' };
export type ParquetSource = ParquetOptions & { readonly format: 'parquet' };
export type SeedSource = SeedOptions & { readonly format: 'csv'; readonly seed: string };
export type SourceDefinition =
  | CsvSource
  | HttpSource
  | JsonSource
  | KafkaSource
  | ParquetSource
  | PostgresSource
  | SeedSource;

/** A source of CSV files, plain, `.gz` or `.zst`. */
export function csv(options: CsvOptions): CsvSource {
  return { ...options, format: 'csv' };
}

/**
 * A reference file in the pipeline's folder, such as a list of currencies: CSV in UTF-8, at most 1 MB, kept under version
 * control with the pipeline and deployed with it. Its silver table, `silver.<name>`, need not be declared: it is what the file
 * says, all of it replaced by the next run when the file has changed.
 */
export function seed(file: `${string}.csv`, options: SeedOptions): SeedSource {
  return { ...options, format: 'csv', seed: file };
}

/** A source of JSON files: one object per line, or one array of objects. */
export function json(options: JsonOptions): JsonSource {
  return { ...options, format: 'json' };
}

/** A source of Parquet files. */
export function parquet(options: ParquetOptions): ParquetSource {
  return { ...options, format: 'parquet' };
}

/** A source of rows of a table of PostgreSQL: `strata fetch` lands them as one file, as they are at one moment, or nothing. */
export function postgres(options: PostgresOptions): PostgresSource {
  return { ...options, format: 'parquet', origin: 'postgres' };
}

/** A source of lists that an HTTP server answers as JSON: `strata fetch` lands all pages of one as one file, or nothing. */
export function http(options: HttpOptions): HttpSource {
  return { ...options, format: 'json', layout: 'array', origin: 'http' };
}

/** What every record has. */
const RECORD = {
  topic: { type: 'string', required: true },
  partition: { type: 'int', required: true },
  offset: { type: 'bigint', required: true },
  timestamp_ms: { type: 'timestamptz', required: true, parse: 'epoch_millis', as: 'sent_at' },
  value: { type: 'string', required: true },
} as const satisfies ColumnsDefinition;

/**
 * A source of the records of a Kafka topic: `strata consume` lands them as lines of JSON, whose value is the text that was sent. Its key is
 * (topic, partition, offset).
 */
export function kafka(options: KafkaOptions): KafkaSource {
  const columns: ColumnsDefinition = { ...RECORD, ...options.columns };
  const key = (['topic', 'partition', 'offset'] as const).map((name) => {
    const column = columns[name];
    return (typeof column === 'object' ? column.as : undefined) ?? name;
  });
  return { key, drift: 'ignore', ...options, columns, format: 'json', layout: 'lines', origin: 'kafka' };
}
