import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSchedule } from '../../../lib/core/schedule/aws-expression.ts';

/** Most of the good ones are examples of AWS: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
const GOOD = [
  'rate(1 minute)',
  'rate(5 minutes)',
  'rate(1 hour)',
  'rate(12 hours)',
  'rate(1 day)',
  'cron(15 10 * * ? *)',
  'cron(0 10 * * ? *)',
  'cron(0 18 ? * MON-FRI *)',
  'cron(0 8 1 * ? *)',
  'cron(0/10 * ? * MON-FRI *)',
  'cron(0/5 8-17 ? * mon-fri *)',
  'cron(0 10 ? * 6L 2022-2023)',
  'cron(0 9 L * ? *)',
  'cron(0 9 3W * ? *)',
  'cron(0 9 ? JAN,APR,7,10 TUE#2 *)',
  'cron(0,30 0,12 1-15/2 * ? 2199)',
];

const BAD = [
  '',
  'daily',
  'rate(0 minutes)',
  'rate(1 minutes)',
  'rate(2 day)',
  'rate(1.5 hours)',
  'rate(1 week)',
  'rate(1 day) ',
  'cron(0 6 * * *)',
  'cron(0 6 * * ? * *)',
  'cron(60 6 * * ? *)',
  'cron(0 24 * * ? *)',
  'cron(0 6 0 * ? *)',
  'cron(0 6 32 * ? *)',
  'cron(0 6 * 13 ? *)',
  'cron(0 6 * FOO ? *)',
  'cron(0 6 ? * 0 *)',
  'cron(0 6 ? * 8 *)',
  'cron(0 6 ? * MON#6 *)',
  'cron(0 6 * * ? 1969)',
  'cron(0 6 * * * *)',
  'cron(0 6 ? * ? *)',
  'cron(? 6 * * ? *)',
  'cron(0/0 6 * * ? *)',
  'cron(0/5/5 6 * * ? *)',
  'cron(1-2-3 6 * * ? *)',
  'cron(L 6 * * ? *)',
  'cron(1, 6 * * ? *)',
];

describe('a schedule', () => {
  for (const text of GOOD) test(`${text} is one`, () => assert.equal(isSchedule(text), true));
  for (const text of BAD) test(`${JSON.stringify(text)} is none`, () => assert.equal(isSchedule(text), false));
});
