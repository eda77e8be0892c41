import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { awsExpressions } from '../../../lib/core/schedule/aws-cron.ts';
import { isSchedule } from '../../../lib/core/schedule/aws-expression.ts';
import { type CronFields, clockOf, parseCron } from '../../../lib/core/schedule/cron.ts';

const fieldsOf = (text: string): CronFields => {
  const fields = parseCron(text);
  assert.ok(fields, text);
  return fields;
};

const CASES: readonly (readonly [cron: string, ...aws: string[]])[] = [
  ['0 7 * * *', 'cron(0 7 * * ? *)'],
  ['0 7 1 * *', 'cron(0 7 1 * ? *)'],
  ['0 7 L * *', 'cron(0 7 L * ? *)'],
  ['0 7 15W 6 *', 'cron(0 7 15W 6 ? *)'],
  ['0 7 * * 1-5', 'cron(0 7 ? * MON,TUE,WED,THU,FRI *)'],
  ['0 7 * * 0', 'cron(0 7 ? * SUN *)'],
  ['0 7 * * 7', 'cron(0 7 ? * SUN *)'],
  ['0 7 * * 5-7', 'cron(0 7 ? * FRI,SAT,SUN *)'],
  ['0 7 * * sun,wed', 'cron(0 7 ? * SUN,WED *)'],
  ['0 7 * * 1-5/2', 'cron(0 7 ? * MON,WED,FRI *)'],
  ['0 7 * * */3', 'cron(0 7 ? * SUN,WED,SAT *)'],
  ['0 7 * * FRI#2', 'cron(0 7 ? * FRI#2 *)'],
  ['0 7 * * 5L', 'cron(0 7 ? * 6L *)'],
  ['*/15 8-17 * JAN,MAR *', 'cron(0/15 8-17 * JAN,MAR ? *)'],
  ['5-50/20 */6 */10 */2 *', 'cron(5,25,45 0/6 1/10 1/2 ? *)'],
  ['0 7 1 feb-DEC/4 *', 'cron(0 7 1 2,6,10 ? *)'],
  ['0 7 L,15,1W,10 * *', 'cron(0 7 15,10 * ? *)', 'cron(0 7 L * ? *)', 'cron(0 7 1W * ? *)'],
  ['0 7 * * 5#2,WED,1L', 'cron(0 7 ? * WED *)', 'cron(0 7 ? * FRI#2 *)', 'cron(0 7 ? * 2L *)'],
  ['0 7 13 * 5', 'cron(0 7 13 * ? *)', 'cron(0 7 ? * FRI *)'],
  ['cron(0 7 ? * 6L 2024-2030)', 'cron(0 7 ? * 6L 2024-2030)'],
  ['0 7 1 * ? *', 'cron(0 7 1 * ? *)'],
];

/** So many firings of any of some expressions, each once. */
function firings(texts: readonly string[]): readonly string[] {
  const all = texts.flatMap((text) =>
    clockOf(fieldsOf(text), 'Europe/Berlin').nextRuns(40, new Date('2024-01-01T00:00Z')),
  );
  return [...new Set(all.map((at) => at.toISOString()))].sort().slice(0, 40);
}

describe('what EventBridge Scheduler is told', () => {
  for (const [cron, ...expected] of CASES) {
    test(`of ${cron}`, () => {
      const told = awsExpressions(fieldsOf(cron));
      assert.deepEqual(told, expected);
      assert.ok(told.every(isSchedule));
      assert.deepEqual(firings(told), firings([cron]));
    });
  }
});
