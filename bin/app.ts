import { createApp } from '@strata-lake/strata/cdk';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

const app = new App();
createApp({
  app,
  // With the context flag destroyData, removing the lake removes its data; see docs/aws.md.
  destroyData: false,
  // The markets are asked once an hour.
  pipeline: (_stack, { name }) => (name === 'crypto' ? { origins: { markets: { schedule: 'rate(1 hour)' } } } : {}),
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
