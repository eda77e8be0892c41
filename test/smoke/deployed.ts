import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AthenaClient, GetQueryExecutionCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { deploymentNames } from '../../lib/core/deployment-names.ts';
import { readOutputs } from '../../lib/remote/stack.ts';
import { strataHere } from '../cli/child.ts';
import type { Account } from './account.ts';
import { PIPELINES } from './smoke.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** How long calls are turned away, in milliseconds: a few attempts. */
const TURNED_AWAY = 30_000;

/** Deploys the stage, or removes it with all of its data; `folder` is where it is built. */
export async function cdk(act: 'deploy' | 'destroy', stage: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const out = join(folder, 'dist', 'lambdas');
  await command(
    process.execPath,
    [join(ROOT, 'bin', 'strata.ts'), 'build', '--pipelines', PIPELINES, '--out', out],
    ROOT,
  );
  const agreed = act === 'deploy' ? ['--require-approval', 'never'] : ['--force'];
  const context = ['-c', `stage=${stage}`, '-c', 'destroyData=true'];
  const args = [act, '--all', ...agreed, ...context, '--output', join(folder, 'cdk.out')];
  await command(join(ROOT, 'node_modules', '.bin', 'cdk'), args, import.meta.dirname, { SMOKE_FOLDER: folder });
}

/** A stage in the account of the caller. */
export async function openDeployed(stage: string): Promise<Account> {
  const names = deploymentNames(stage, '--stage');
  const stacks = new CloudFormationClient({});
  const { BronzeBucket, Workgroup } = await readOutputs(stacks, names.lakeStack, ['BronzeBucket', 'Workgroup']);
  const { StateMachineArn } = await readOutputs(stacks, names.pipelineStack('shop'), ['StateMachineArn']);
  const sfn = new SFNClient({});
  const athena = new AthenaClient({});
  return {
    lacks: {},
    strata: (...args) => {
      const place = [args[0] === 'query' ? '--athena' : '--aws', '--stage', stage, '--pipelines', PIPELINES];
      return strataHere([...args, ...place]);
    },
    async turnAway(state) {
      const name = ['--function-name', names.lambda('shop', state.toLowerCase())];
      await command('aws', ['lambda', 'put-function-concurrency', ...name, '--reserved-concurrent-executions', '0']);
      // Nobody waits for it: the run is to begin meanwhile.
      sleep(TURNED_AWAY)
        .then(() => command('aws', ['lambda', 'delete-function-concurrency', ...name]))
        .catch((cause: unknown) => console.error(`calls of ${name[1]} are still turned away:`, cause));
    },
    async athena(statement) {
      const QueryString = statement.replaceAll(/\bshop_(?=silver\.|gold\.)/g, `${names.databasePrefix}shop_`);
      const { QueryExecutionId } = await athena.send(
        new StartQueryExecutionCommand({ QueryString, WorkGroup: Workgroup }),
      );
      for (;;) {
        const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
        const { State, StateChangeReason } = QueryExecution?.Status ?? {};
        if (State === 'SUCCEEDED') return;
        if (State === 'FAILED' || State === 'CANCELLED')
          throw new Error(`${QueryString}: ${State}: ${StateChangeReason}`);
        await sleep(1_000);
      }
    },
    async removeUpload(source, file) {
      const Key = `bronze/shop/${source}/${file}`;
      await new S3Client({}).send(new DeleteObjectCommand({ Bucket: BronzeBucket, Key }));
    },
    async redrive(runId) {
      const executionArn = `${StateMachineArn.replace(':stateMachine:', ':execution:')}:${runId}`;
      await sfn.send(new RedriveExecutionCommand({ executionArn }));
      for (;;) {
        const { status = '' } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
        if (status !== 'RUNNING') return status;
        await sleep(2_000);
      }
    },
  };
}

function command(
  file: string,
  args: readonly string[],
  cwd: string = ROOT,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  return new Promise((ended, failed) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...variables },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('error', failed);
    child.on('close', (code) => (code === 0 ? ended() : failed(new Error(`${file} ${args[0]} ended with ${code}`))));
  });
}
