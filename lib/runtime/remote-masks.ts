import { EntityNotFoundException, GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CONNECTIONS } from '../adapters/aws/connections.ts';
import { awsFailure } from '../adapters/aws/errors.ts';
import { UnreadableTable } from '../core/errors.ts';
import { parseMetadata } from '../iceberg/json.ts';
import { columnsOf, currentSchema } from '../iceberg/schema.ts';
import { maskedColumns } from '../query/masked-columns.ts';
import type { AthenaDeps } from '../remote/athena.ts';

/**
 * What is personal in tables of the Glue catalog, by their metadata in S3, where no other engine takes it away. It asks for no more than Athena
 * itself does on behalf of the caller. Throws InvalidInput for what the caller may not read.
 */
export function openMasks(): NonNullable<AthenaDeps['masksOf']> {
  const glue = new GlueClient({ requestHandler: CONNECTIONS });
  const s3 = new S3Client({ requestHandler: CONNECTIONS });
  return async ({ database, table }) => {
    const location = await metadataLocation(glue, database, table);
    if (location === undefined) return undefined;
    const metadata = parseMetadata(await read(s3, location), location);
    const columns = columnsOf(currentSchema(metadata)).map(({ name }) => name);
    return { database, table, columns, masked: maskedColumns(metadata) };
  };
}

/** undefined: there is no such table, or it is a view or of another format. */
async function metadataLocation(glue: GlueClient, database: string, table: string): Promise<string | undefined> {
  try {
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: table }));
    return Table?.Parameters?.['metadata_location'];
  } catch (cause) {
    if (cause instanceof EntityNotFoundException) return undefined;
    throw awsFailure({ action: 'glue:GetTable', resource: `${database}.${table}, to see what is personal` }, cause);
  }
}

async function read(s3: S3Client, location: string): Promise<Uint8Array> {
  const [, Bucket, Key] = /^s3a?:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
  if (Bucket === undefined || Key === undefined) {
    throw new UnreadableTable(`the metadata of a table lies at ${location}: expected an object of S3`);
  }
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  } catch (cause) {
    throw awsFailure({ action: 's3:GetObject', resource: `${location}, to see what is personal` }, cause);
  }
}
