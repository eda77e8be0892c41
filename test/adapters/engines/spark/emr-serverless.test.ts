import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createEmrServerless } from '../../../../lib/adapters/engines/spark/emr-serverless.ts';
import { createMemoryStore } from '../../../../lib/adapters/store/memory.ts';
import type { AskAws, AwsQuestion } from '../../../../lib/core/aws-question.ts';
import { userSql } from '../../../../lib/sql/user-sql.ts';

const KEY = 'ops/shop/_runs/r/level-1/engines/u/1-insert-0-statement.json';
const SELECT = userSql('INSERT INTO x SELECT 1');
const ROLE = 'arn:aws:iam::111122223333:role/spark-jobs';

/** An engine whose questions are answered here, over no tables. */
function open(answer: (question: AwsQuestion) => unknown) {
  const asked: AwsQuestion[] = [];
  const ask: AskAws = async (question) => {
    asked.push(question);
    return { text: JSON.stringify(answer(question)), at: new Date(0) };
  };
  const store = createMemoryStore();
  const tables = {
    place: ['dev_shop_gold'],
    show: async () => {},
    shown: async () => undefined,
    names: async () => [],
    hide: async () => {},
  };
  const place = { applicationId: '00fabc', roleArn: ROLE, script: 's3://assets/statement.py', more: '--conf a=b' };
  return { asked, store, engine: createEmrServerless({ ...place, ask, store, tables }) };
}

const job = (state: string, stateDetails?: string, key?: string) => ({
  jobRun: {
    state,
    ...(stateDetails === undefined ? {} : { stateDetails }),
    jobDriver: key === undefined ? {} : { sparkSubmit: { entryPoint: 's3://x', entryPointArguments: [key] } },
  },
});

describe('Spark on EMR Serverless', () => {
  test('is given one job by a token, whose one argument is where its statement lies', async () => {
    const { asked, store, engine } = open(() => ({ jobRunId: '00j1' }));
    assert.deepEqual(
      [engine.title, engine.dialect, engine.place],
      ['Spark (application 00fabc)', 'spark', ['strata', 'dev_shop_gold']],
    );
    assert.equal(await engine.start(SELECT, 'strata-token', KEY), '00j1');
    assert.deepEqual(JSON.parse(new TextDecoder().decode((await store.read(KEY)).bytes)), { sql: SELECT });
    const [begun, ...others] = asked;
    assert.ok(begun?.kind === 'rest' && others.length === 0);
    const { body, ...question } = begun;
    const about = { service: 'emr-serverless', resource: 'application 00fabc' };
    assert.deepEqual(question, {
      ...about,
      action: 'emr-serverless:StartJobRun',
      path: '/applications/00fabc/jobruns',
      kind: 'rest',
    });
    const { jobDriver, ...rest } = body as { readonly jobDriver: { readonly sparkSubmit: Record<string, unknown> } };
    assert.deepEqual(rest, {
      clientToken: 'strata-token',
      executionRoleArn: ROLE,
      name: 'strata-token',
      executionTimeoutMinutes: 100,
    });
    const { sparkSubmitParameters, ...submit } = jobDriver.sparkSubmit;
    assert.deepEqual(submit, { entryPoint: 's3://assets/statement.py', entryPointArguments: [store.location(KEY)] });
    const parameters = String(sparkSubmitParameters);
    assert.match(parameters, /^--conf a=b --conf spark\.sql\.session\.timeZone=UTC /);
    for (const setting of [
      'spark.sql.ansi.enabled=true',
      'spark.sql.catalog.strata.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog',
      'spark.jars=/usr/share/aws/iceberg/lib/iceberg-spark3-runtime.jar',
    ])
      assert.ok(parameters.includes(` --conf ${setting}`), setting);
    await engine.cancel('00j1');
    assert.deepEqual(asked[1], {
      ...about,
      action: 'emr-serverless:CancelJobRun',
      path: '/applications/00fabc/jobruns/00j1',
      kind: 'delete',
    });
  });

  test('says how far a job is, and of a failure what its program has said, else what EMR says', async () => {
    const { store } = open(() => job('RUNNING'));
    const working = { kind: 'working' };
    const said = (error: { readonly type: string; readonly message: string }): string =>
      JSON.stringify({ errors: [error] });
    const parse = said({
      type: 'org.apache.spark.sql.catalyst.parser.ParseException',
      message: '[PARSE_SYNTAX_ERROR] x',
    });
    const io = said({ type: 'java.io.IOException', message: 'No space left' });
    const failed = (reason: string) => ({ kind: 'failed', reason });
    const refused = (reason: string) => ({ kind: 'refused', reason });
    const at = store.location(KEY);
    const denied = 'Error: AccessDenied when calling GetObject on s3://assets/statement.py';
    const cases: readonly (readonly [unknown, string | undefined, unknown])[] = [
      ...['SUBMITTED', 'PENDING', 'SCHEDULED', 'RUNNING', 'QUEUED', 'CANCELLING'].map(
        (state) => [job(state), undefined, working] as const,
      ),
      [job('SUCCESS'), undefined, { kind: 'done' }],
      [job('CANCELLED', 'by a person'), undefined, failed('it was cancelled: by a person')],
      [job('FAILED', 'ExitCode: 1', at), parse, refused('[PARSE_SYNTAX_ERROR] x')],
      [job('FAILED', 'ExitCode: 1', at), io, failed('No space left')],
      [job('FAILED', 'ExitCode: 137', at), undefined, failed('ExitCode: 137')],
      // The statement was done, and the job failed after it: what was written is not taken.
      [job('FAILED', 'ExitCode: 137', at), '{"errors":[]}', failed('ExitCode: 137')],
      [job('FAILED', denied, at), undefined, refused(denied)],
      [job('FAILED'), undefined, failed('no reason given')],
    ];
    for (const [answer, ended, expected] of cases) {
      const { store: own, engine, asked } = open(() => answer);
      if (ended !== undefined) await own.write(`${KEY}.ended`, new TextEncoder().encode(ended), { kind: 'any' });
      assert.deepEqual(await engine.look('00j1'), expected, JSON.stringify(answer));
      assert.deepEqual([asked[0]?.kind, asked[0]?.path], ['get', '/applications/00fabc/jobruns/00j1']);
    }
  });
});
