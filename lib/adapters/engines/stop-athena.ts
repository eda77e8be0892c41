import type { AskAws } from '../../core/aws-question.ts';
import type { SqlEngine } from '../../core/sql-engine.ts';

/**
 * Stops statements of Athena, for functions that have no client of it.
 * Source: docs.aws.amazon.com/athena/latest/APIReference/API_StopQueryExecution.html
 */
export function stopsAthena(ask: AskAws): Pick<SqlEngine<never>, 'cancel'> {
  return {
    async cancel(id) {
      await ask({
        service: 'athena',
        action: 'athena:StopQueryExecution',
        kind: 'json',
        target: 'AmazonAthena.StopQueryExecution',
        body: { QueryExecutionId: id },
      });
    },
  };
}
