/** What is used of parquetjs-lite 0.8.7, which has no types of its own. */
declare module 'parquetjs-lite' {
  type Field = {
    readonly type: 'UTF8' | 'TIMESTAMP_MILLIS';
    readonly optional?: boolean;
    readonly compression?: 'UNCOMPRESSED' | 'GZIP' | 'SNAPPY';
  };

  export class ParquetSchema {
    constructor(fields: Readonly<Record<string, Field>>);
  }

  /** Where the bytes of a file go, in order. */
  export type Sink = {
    write(bytes: Uint8Array, done: (error?: Error) => void): void;
    end(done: (error?: Error) => void): void;
  };

  export class ParquetWriter {
    static openStream(
      schema: ParquetSchema,
      sink: Sink,
      options: { readonly useDataPageV2: boolean },
    ): Promise<ParquetWriter>;
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
}
