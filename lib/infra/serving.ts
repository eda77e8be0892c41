import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { InvalidInput } from '../core/errors.ts';
import type { ServeSpec } from '../core/serve.ts';
import type { Functions, Network } from './functions.ts';

/** Where the function is that serves tables outside the lake, and with which secret. */
export type ServingOptions = {
  /** From where the server is reached; default: where the other functions are. */
  readonly vpc?: IVpc;
  /** Default: private subnets with a way out. The function needs one to S3, Glue, KMS, Secrets Manager, CloudWatch and X-Ray. */
  readonly vpcSubnets?: SubnetSelection;
  /** Default with a VPC: one that is made, which lets everything out and nothing in. */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** The secret that the pipeline names, whose text is the URL; default: the one of that name in this account and region. */
  readonly secret?: ISecret;
};

/** Undefined: where the other functions are. Throws InvalidInput for subnets or groups of no VPC. */
export function servingNetwork(scope: Construct, pipeline: string, options: ServingOptions): Network | undefined {
  const { vpc, vpcSubnets, securityGroups } = options;
  if (vpc === undefined) {
    if (vpcSubnets === undefined && securityGroups === undefined) return undefined;
    throw new InvalidInput(
      `pipeline ${pipeline}: serve.vpcSubnets or serve.securityGroups without serve.vpc; expected a vpc too, or none of them`,
    );
  }
  const description = `What serves tables of the pipeline ${pipeline}`;
  const groups = securityGroups ?? [new SecurityGroup(scope, 'ServeSecurityGroup', { vpc, description })];
  return { vpc, ...(vpcSubnets === undefined ? {} : { vpcSubnets }), securityGroups: groups };
}

/** Lets the function that serves read the one secret, which has the name that the pipeline gives it. */
export function connectSink(
  scope: Construct,
  { Serve }: Functions,
  { postgres }: ServeSpec,
  { secret }: ServingOptions,
): void {
  if (Serve === undefined) return;
  if (secret !== undefined) {
    Serve.addEnvironment('STRATA_SINK_SECRET', secret.secretArn);
    secret.grantRead(Serve);
    return;
  }
  // Secrets Manager puts six characters of its own after a name.
  const resource = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${postgres.secret}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  Serve.addToRolePolicy(
    new PolicyStatement({ sid: 'Sink', actions: ['secretsmanager:GetSecretValue'], resources: [resource] }),
  );
}
