import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteName, quotePath } from './quote.ts';

/**
 * Another pipeline is a database of its own in a session, in memory and empty but for what is made in it, so that SQL names its
 * tables as `<pipeline>.<layer>.<table>`. A session that is closed to files takes it as well.
 */
export function attachPipeline(pipeline: string, layer: string): readonly Statement[] {
  return [
    { name: `attach ${pipeline}`, text: sql`ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(pipeline)}`, alone: true },
    { name: 'schema', text: sql`CREATE SCHEMA IF NOT EXISTS ${quotePath(pipeline, layer)}` },
  ];
}

/** With all that was made in it. */
export function detachPipeline(pipeline: string): Statement {
  return { name: `detach ${pipeline}`, text: sql`DETACH DATABASE IF EXISTS ${quoteName(pipeline)}` };
}
