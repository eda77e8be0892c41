import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderBranches } from '../../../lib/plan/branches/order.ts';

const schedules = ['daily', 'strikes', 'monthly', 'yearly'].map((name) => {
  return { name, cron: '0 7 * * *', zone: 'UTC', catchup: 'last' } as const;
});
const model = (name: string, branch: string | undefined, ...reads: string[]) => ({
  id: `gold.${name}`,
  ...(branch === undefined ? {} : { branch }),
  reads: reads.map((read) => ({ layer: 'gold' as const, name: read })),
});
const order = (...models: ReturnType<typeof model>[]) => orderBranches({ schedules, models }).map(({ name }) => name);

test('branches run after those whose tables they read, else as they were declared', () => {
  assert.deepEqual(order(model('a', 'daily')), ['daily', 'strikes', 'monthly', 'yearly']);
  const [leave, quota] = [model('leave', undefined), model('quota', 'yearly')];
  const [report, own] = [model('report', 'monthly', 'leave', 'quota'), model('own', 'daily', 'late')];
  const late = model('late', 'daily', 'report');
  assert.deepEqual(order(leave, quota, report, own, late), ['strikes', 'yearly', 'monthly', 'daily']);
});

test('in a circle they run as they were declared, and what hangs on it after it', () => {
  const circle = [model('status', 'daily', 'salary'), model('salary', 'strikes', 'status')];
  assert.deepEqual(order(...circle, model('report', 'monthly', 'status')), ['yearly', 'daily', 'strikes', 'monthly']);
  assert.deepEqual(orderBranches({ models: [] }), []);
});
