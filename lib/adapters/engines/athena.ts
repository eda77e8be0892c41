import {
  type AthenaClient,
  GetQueryExecutionCommand,
  InvalidRequestException,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { Progress, SqlEngine } from '../../core/sql-engine.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { awsFailure } from '../aws/errors.ts';
import type { GlueShown } from './glue-tables.ts';

export type AthenaOptions = {
  readonly client: AthenaClient;
  readonly workgroup: string;
  readonly tables: GlueShown;
};

/**
 * Athena, which keeps statements apart by their tokens: one that it was given before is not begun again.
 * Source: docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html (ClientRequestToken), API_AthenaError.html
 */
export function createAthenaEngine({ client, workgroup, tables }: AthenaOptions): SqlEngine<TableMetadata> {
  const title = `Athena (workgroup ${workgroup})`;
  return {
    ...tables,
    title,
    dialect: 'trino',
    async start(statement, token) {
      const [Database] = tables.place;
      const command = new StartQueryExecutionCommand({
        QueryString: statement,
        ClientRequestToken: token,
        WorkGroup: workgroup,
        QueryExecutionContext: { Catalog: 'AwsDataCatalog', ...(Database && { Database }) },
      });
      const { QueryExecutionId } = await asked('athena:StartQueryExecution', `workgroup ${workgroup}`, () =>
        client.send(command).catch((cause: unknown) => {
          if (!(cause instanceof InvalidRequestException)) throw cause;
          throw new InvalidInput(`${title} takes no such statement: ${cause.message}`, [], { cause });
        }),
      );
      if (QueryExecutionId === undefined)
        throw new Unavailable('athena:StartQueryExecution answered without the id of a query');
      return QueryExecutionId;
    },
    async look(id) {
      const command = new GetQueryExecutionCommand({ QueryExecutionId: id });
      const { QueryExecution } = await asked('athena:GetQueryExecution', `query ${id}`, () => client.send(command));
      const { State, StateChangeReason, AthenaError } = QueryExecution?.Status ?? {};
      const reason = StateChangeReason ?? AthenaError?.ErrorMessage ?? 'no reason given';
      switch (State) {
        case 'SUCCEEDED':
          return { kind: 'done' };
        case 'FAILED':
          return failureOf(reason, AthenaError?.ErrorCategory);
        case 'CANCELLED':
          return { kind: 'failed', reason: `it was cancelled: ${reason}` };
        default:
          return { kind: 'working' };
      }
    },
    async cancel(id) {
      const command = new StopQueryExecutionCommand({ QueryExecutionId: id });
      await asked('athena:StopQueryExecution', `query ${id}`, () => client.send(command));
    },
  };
}

/** Of the categories of an error the one for which the user is to blame. */
const BY_THE_USER = 2;

/** What the user has to put right may come without a category: a right that is missing, a limit of the workgroup. */
const FOR_A_PERSON =
  /^[A-Z_]*(SYNTAX|NOT_FOUND|MISMATCH|INVALID|PERMISSION|ACCESS_DENIED)|Access Denied|not authorized|Bytes scanned limit/;

function failureOf(reason: string, category: number | undefined): Progress {
  const refused = category === BY_THE_USER || FOR_A_PERSON.test(reason);
  return { kind: refused ? 'refused' : 'failed', reason };
}

async function asked<T>(action: string, resource: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof InvalidInput) throw cause;
    throw awsFailure({ action, resource }, cause);
  }
}
