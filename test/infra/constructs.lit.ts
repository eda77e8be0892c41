import { compiledPipeline, Lake, Pipeline } from '@strata-lake/strata/cdk';
import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export type ShopStackProps = StackProps & {
  readonly vpc: IVpc;
  readonly topic: ITopic;
  readonly till: IRole;
  readonly analyst: IRole;
};

/** The pipeline retail with a lake of its own, beside whatever else the stack has. */
export class ShopStack extends Stack {
  constructor(scope: Construct, id: string, { vpc, topic, till, analyst, ...props }: ShopStackProps) {
    super(scope, id, props);
    const lake = new Lake(this, 'Lake', { deployment: 'shop', encryption: 'kms' });
    const retail = new Pipeline(this, 'Retail', {
      lake,
      spec: compiledPipeline('retail'),
      vpc,
      topic,
      alarms: { change: { NearTimeout: false, Throttled: { threshold: 100 } } },
    });
    retail.grantUpload(till, 'transactions');
    lake.grantQuery(analyst);
    new Alarm(this, 'Rejected', {
      metric: retail.metricRows('Quarantined', { period: Duration.hours(1) }),
      threshold: 1_000,
      evaluationPeriods: 1,
    });
  }
}
