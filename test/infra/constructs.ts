import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { type ILake, Lake, type LakeProps } from '../../lib/infra/lake.ts';
import { Pipeline } from '../../lib/infra/pipeline.ts';
import type { PipelineOptions } from '../../lib/infra/pipeline-props.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fakeBundles, SHOP, specOf } from './deployment.ts';

export type Made = { readonly app: App; readonly stack: Stack };

/** A stack of a user's own. */
export function ownStack(context: Readonly<Record<string, unknown>> = {}): Made {
  const outdir = temporaryFolder('cdk');
  const app = new App({ outdir, analyticsReporting: false, context: { ...context } });
  return { app, stack: new Stack(app, 'Own', { env: { account: '111122223333', region: 'eu-west-1' } }) };
}

/** A stack with a lake alone. */
export function lakeOf(
  props: (stack: Stack) => LakeProps = () => ({}),
  context: Readonly<Record<string, unknown>> = {},
): Made & { readonly lake: Lake; readonly template: () => Template } {
  const made = ownStack(context);
  const lake = new Lake(made.stack, 'Lake', props(made.stack));
  return { ...made, lake, template: () => Template.fromStack(made.stack) };
}

const spec = await specOf(SHOP);
const bundles = fakeBundles();

/** A stack with a lake and the pipeline web_shop. */
export function shopOf(
  options: (stack: Stack) => PipelineOptions = () => ({}),
  lakeIn: (stack: Stack) => ILake = (stack) => new Lake(stack, 'Lake'),
): Made & { readonly lake: ILake; readonly shop: Pipeline; readonly template: () => Template } {
  const made = ownStack();
  const lake = lakeIn(made.stack);
  const shop = new Pipeline(made.stack, 'Shop', { lake, spec, bundles, ...options(made.stack) });
  return { ...made, lake, shop, template: () => Template.fromStack(made.stack) };
}

/** What AwsSolutions finds below a construct that nobody has acknowledged. */
export function openFindings({ app }: Made, below: string): readonly string[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations
    .flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    )
    .filter((finding) => finding.includes(` at ${below}/`));
}
