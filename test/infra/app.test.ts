import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { createApp, createDeployment } from '../../lib/infra/app.ts';
import { bundlesFor, compiledPipeline, compiledPipelines } from '../../lib/infra/project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fakeBundles, PLAIN, SHOP, specOf } from './deployment.ts';
import { builtProject } from './project.ts';
import { at, resourceOf } from './resources.ts';

const run = promisify(execFile);
const folder = builtProject([await specOf(PLAIN), await specOf(SHOP)]);
const newApp = (context: Readonly<Record<string, unknown>> = {}): App =>
  new App({ outdir: temporaryFolder('cdk'), analyticsReporting: false, context: { ...context } });

describe("a project's app", () => {
  test('has a stack for the lake and one for each pipeline, which needs the first', () => {
    const app = newApp({ stage: 'dev' });
    const deployment = createApp({ folder, app });
    assert.equal(deployment?.pipelines.length, 2);
    const { stacks } = app.synth();
    assert.deepEqual(stacks.map(({ stackName }) => stackName).sort(), [
      'strata-dev-lake',
      'strata-dev-plain',
      'strata-dev-web-shop',
    ]);
    const shop = stacks.find(({ stackName }) => stackName === 'strata-dev-web-shop');
    assert.ok(shop?.dependencies.some(({ id }) => id === 'strata-dev-lake'));
  });

  test('takes what is other than the default from functions of the stacks', () => {
    const deployment = createApp({
      folder,
      app: newApp(),
      lake: (stack) => ({ buckets: { bronze: Bucket.fromBucketName(stack, 'Landing', 'our-landing') } }),
      pipeline: (_stack, spec) => (spec.name === 'plain' ? { alarms: false } : { startOn: { upload: false } }),
    });
    const [plain, shop] = deployment?.pipelines ?? [];
    assert.deepEqual([plain?.pipeline.alarms.length, shop?.pipeline.alarms.length], [0, 9]);
    const { properties } = resourceOf(Template.fromStack(plain ?? assert.fail()), 'AWS::Lambda::Function', 'Stage');
    assert.equal(at(properties, 'Environment', 'Variables', 'STRATA_BRONZE_BUCKET'), 'our-landing');
  });

  test('takes the bundles of the architecture that a pipeline names', () => {
    const app = newApp();
    const make = () =>
      createApp({ folder, app, pipeline: () => ({ architecture: Architecture.X86_64, bundles: fakeBundles() }) });
    assert.equal(make()?.pipelines.length, 2);
    const x64 = (): unknown =>
      createDeployment(newApp(), {
        folder,
        specs: compiledPipelines(folder),
        pipeline: () => ({ architecture: Architecture.X86_64 }),
      });
    assert.throws(x64, /nothing is built in .*x64: run npx strata build --arch x64 first/);
  });

  /** Run as the CDK runs it: in the project's folder. */
  const asCdk = (cwd: string): Promise<{ readonly stdout: string; readonly stderr: string }> => {
    const url = new URL('../../lib/infra/index.ts', import.meta.url).href;
    const code = `const { createApp } = await import(${JSON.stringify(url)});
      console.log(createApp()?.pipelines.map(({ stackName }) => stackName).join());`;
    return run(process.execPath, ['--input-type=module', '--eval', code], { cwd });
  };

  test('is found where the CDK is called', async () => {
    assert.equal((await asCdk(folder)).stdout.trim(), 'strata-plain,strata-web-shop');
  });

  test('that is not built ends with 1 and says what to do', async () => {
    const empty = temporaryFolder('empty');
    const failed = (await asCdk(empty).catch((cause: unknown) => cause)) as { code?: number; stderr?: string };
    assert.equal(failed.code, 1);
    assert.match(failed.stderr ?? '', /^nothing is built in .*dist\/lambdas\/specs: run npx strata build first/);
  });
});

test('compiled pipelines are read by name', () => {
  assert.deepEqual(
    compiledPipelines(folder).map(({ name }) => name),
    ['plain', 'web_shop'],
  );
  assert.equal(compiledPipeline('plain', folder).name, 'plain');
  assert.throws(
    () => compiledPipeline('shop', folder),
    /no compiled pipeline "shop": expected one of plain, web_shop; run npx strata build/,
  );
  assert.equal(bundlesFor('arm64', folder), join(folder, 'dist', 'lambdas', 'arm64'));
  assert.throws(() => bundlesFor('x64', folder), /nothing is built in .*x64: run npx strata build --arch x64 first/);
});
