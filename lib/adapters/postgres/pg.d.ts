/** What is used of two packages that whoever has no PostgreSQL does not install. Source: node-postgres.com/apis/client, github.com/brianc/node-pg-copy-streams */
declare module 'pg' {
  import type { Duplex } from 'node:stream';

  export type ClientOptions = {
    readonly connectionString: string;
    readonly application_name?: string;
    readonly connectionTimeoutMillis?: number;
    readonly keepAlive?: boolean;
  };
  export type QueryResult = {
    readonly rows: readonly Readonly<Record<string, unknown>>[];
    readonly rowCount: number | null;
  };
  export class Client {
    constructor(options: ClientOptions);
    connect(): Promise<void>;
    query(text: string): Promise<QueryResult>;
    /** What `pg-copy-streams` makes. */
    query<Stream extends Duplex>(stream: Stream): Stream;
    end(): Promise<void>;
    on(event: 'error', listener: (cause: Error) => void): this;
  }
  const pg: { readonly Client: typeof Client };
  export default pg;
}

declare module 'pg-copy-streams' {
  import type { Duplex } from 'node:stream';

  const streams: {
    readonly from: (text: string) => Duplex & { readonly rowCount: number };
    readonly to: (text: string) => Duplex;
  };
  export default streams;
}
