import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { compilePipelines } from '../../lib/runtime/compile-pipelines.ts';
import { ShopStack } from './constructs.lit.ts';
import { ownStack } from './constructs.ts';
import { statementsOf } from './policies.ts';
import { builtProject } from './project.ts';
import { at, resourceOf, resourcesOf } from './resources.ts';

const PAGE = readFileSync(new URL('../../docs/aws.md', import.meta.url), 'utf8');
const SOURCE = readFileSync(new URL('./constructs.lit.ts', import.meta.url), 'utf8');
const pipelines = new URL('../../pipelines', import.meta.url).pathname;

test('the example of docs/aws.md is code that is compiled with the tests', () => {
  assert.ok(
    PAGE.includes(`\`\`\`ts\n${SOURCE}\`\`\``),
    'docs/aws.md, Constructs: not the text of test/infra/constructs.lit.ts',
  );
});

test('and makes what the page says of it', async () => {
  process.chdir(builtProject(await compilePipelines(pipelines)));
  const { app, stack } = ownStack();
  const vpc = new Vpc(stack, 'Vpc') as IVpc;
  const { account, region } = stack;
  const people = new Stack(app, 'People', { env: { account, region } });
  const roleOf = (id: string): Role => new Role(people, id, { assumedBy: new AccountRootPrincipal() });
  const [till, analyst] = [roleOf('Till'), roleOf('Analyst')];
  const shop = new ShopStack(app, 'Shop', {
    env: { account, region },
    vpc,
    till,
    analyst,
    topic: new Topic(stack, 'Ours'),
  });
  const template = Template.fromStack(shop);
  const machine = resourceOf(template, 'AWS::StepFunctions::StateMachine', 'RetailMachine');
  assert.equal(machine.properties['StateMachineName'], 'strata-shop-retail');
  assert.ok(at(resourceOf(template, 'AWS::Lambda::Function', 'RetailStage').properties, 'VpcConfig', 'SubnetIds'));
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(({ id }) => id);
  assert.deepEqual(
    [alarms.some((id) => /NearTimeout/.test(id)), alarms.some((id) => /^Rejected/.test(id))],
    [false, true],
  );
  const roles = Template.fromStack(people);
  const mayOf = (id: string): string =>
    statementsOf(roles, resourceOf(roles, 'AWS::IAM::Role', id).id)
      .map(({ actions }) => actions.join())
      .join();
  assert.match(mayOf('Till'), /s3:PutObject/);
  assert.match(mayOf('Analyst'), /athena:StartQueryExecution/);
});

/** Rows of the tables below a heading: the code in their first column. */
function namedBelow(heading: string): readonly string[] {
  const [, after = ''] = PAGE.split(`### ${heading}\n`);
  const [section = ''] = after.split(/\n##/);
  return [...section.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) +\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name),
  );
}

/** Members of a type or methods of a class, as the source has them. */
function declaredIn(file: string, pattern: RegExp): readonly string[] {
  const text = readFileSync(new URL(`../../lib/infra/${file}`, import.meta.url), 'utf8');
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

const PROP = /^ {2}readonly (\w+)\??:/gm;

test('the tables of docs/aws.md have every property, grant and metric, and no other', () => {
  const lake = readFileSync(new URL('../../lib/infra/lake.ts', import.meta.url), 'utf8');
  const [, types = ''] = lake.split('export type LakeAttributes');
  const stack = readFileSync(new URL('../../lib/infra/lake-stack.ts', import.meta.url), 'utf8');
  const [, ofTheStack = ''] = stack.split('export type LakeOptions');
  const sections = [types.split('abstract class')[0] ?? '', ofTheStack.split('};')[0] ?? ''];
  const lakeProps = sections.flatMap((text) => [...text.matchAll(PROP)].map(([, name = '']) => name));
  assert.deepEqual([...namedBelow('Lake')].sort(), lakeProps.sort());
  assert.deepEqual([...namedBelow('Pipeline')].sort(), [...declaredIn('pipeline-props.ts', PROP)].sort());
  const methods = [
    ...declaredIn('lake.ts', /^ {2}((?:grant|metric)\w*)\(/gm),
    ...declaredIn('pipeline.ts', /^ {2}((?:grant|metric)\w*)\(/gm),
  ];
  assert.deepEqual([...new Set(namedBelow('Grants and metrics'))].sort(), [...new Set(methods)].sort());
});
