import { join } from 'node:path';
import { ArnFormat, Duration, type RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Policy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { type Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { InvalidInput } from '../core/errors.ts';
import { type Origin, originBundle, originFunction, secretsOf } from '../core/origins.ts';
import type { PipelineSpec } from '../core/spec.ts';
import type { ObjectGrant } from '../core/states.ts';
import { oneOf } from '../core/suggest.ts';
import { acknowledge } from './acknowledge.ts';
import { encryptLogs } from './lake-key.ts';
import { grantNetwork, grantObjects, grantTracing, useKeys } from './permissions.ts';
import { bucketName, type LakePlaces } from './places.ts';
import { functionsOf, schedulesOf } from './principals.ts';

/** When and from where a source is fetched or consumed. */
export type OriginOptions = {
  /** As EventBridge Scheduler says it: `rate(5 minutes)`, `cron(0 * * * ? *)`, in UTC. */
  readonly schedule: string;
  /** From where the server is reached; default: outside of any VPC. */
  readonly vpc?: IVpc;
  /** Default: private subnets with a way out. The function needs one to S3, KMS, Secrets Manager, CloudWatch and X-Ray. */
  readonly vpcSubnets?: SubnetSelection;
  /** Default with a VPC: one that is made, which lets everything out and nothing in. */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** Secrets by the names that the pipeline gives them; default: those of these names in this account and region. */
  readonly secrets?: { readonly [name: string]: ISecret };
};

export type OriginsProps = {
  readonly lake: LakePlaces;
  readonly spec: Pick<PipelineSpec, 'name' | 'sources'>;
  /** By source. */
  readonly origins: { readonly [source: string]: OriginOptions };
  readonly bundles: string;
  readonly architecture: Architecture;
  readonly logs: { readonly retention: RetentionDays; readonly removalPolicy: RemovalPolicy };
  /** Where calls go that failed again and again. */
  readonly deadLetters: IQueue;
};

const COMPUTE = {
  fetch: { memoryMb: 1_024, timeoutSeconds: 900, tmpMb: 512 },
  // Files are held in memory until they are whole.
  consume: { memoryMb: 1_769, timeoutSeconds: 900, tmpMb: 512 },
  // Rows are there as they came and as the file that is made of them.
  extract: { memoryMb: 3_008, timeoutSeconds: 900, tmpMb: 10_240 },
} as const;
const ATTEMPTS = 2;

/** A function for each source that is to be fetched or consumed, which is called on a schedule. Throws InvalidInput for a source that has no origin. */
export function createOrigins(scope: Construct, props: OriginsProps): readonly SourceOrigin[] {
  const { spec, origins } = props;
  return Object.entries(origins).map(([source, options]) => {
    const origin = spec.sources.find(({ name }) => name === source)?.origin;
    if (origin !== undefined) return new SourceOrigin(scope, `Origin${source}`, { ...props, source, origin, options });
    const names = spec.sources.flatMap((one) => (one.origin === undefined ? [] : [one.name]));
    throw new InvalidInput(
      `pipeline ${spec.name}: origins.${source}: got no source that has an origin; expected ${oneOf(source, names)}`,
    );
  });
}

type SourceProps = Omit<OriginsProps, 'origins'> & {
  readonly source: string;
  readonly origin: Origin;
  readonly options: OriginOptions;
};

/** What lands the files of one source, and may do nothing else. */
export class SourceOrigin extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: SourceProps) {
    super(scope, id);
    const { lake, spec, source, origin, options } = props;
    const what = originFunction(origin);
    const network = networkOf(this, props);
    const role = new Role(this, 'Role', {
      assumedBy: functionsOf(this),
      description: `What lands the source ${source} of the pipeline ${spec.name}`,
    });
    const logGroup = new LogGroup(this, 'Logs', { ...props.logs });
    encryptLogs(logGroup, lake);
    logGroup.grantWrite(role);
    this.function = new LambdaFunction(this, 'Function', {
      functionName: lake.names.origin(spec.name, source),
      description: `Strata: ${what} ${source} of the pipeline ${spec.name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: props.architecture,
      code: Code.fromAsset(join(props.bundles, originBundle(what))),
      handler: originBundle(what) === what ? 'index.handler' : `${what}.handler`,
      role,
      logGroup,
      memorySize: COMPUTE[what].memoryMb,
      timeout: Duration.seconds(COMPUTE[what].timeoutSeconds),
      ephemeralStorageSize: Size.mebibytes(COMPUTE[what].tmpMb),
      ...network,
      tracing: Tracing.ACTIVE,
      deadLetterQueue: props.deadLetters,
      retryAttempts: ATTEMPTS,
      environment: {
        STRATA_PIPELINE: spec.name,
        STRATA_BRONZE_BUCKET: bucketName(lake, 'bronze'),
        STRATA_OPS_BUCKET: bucketName(lake, 'ops'),
        STRATA_TMP_MB: String(COMPUTE[what].tmpMb),
        STRATA_ORIGIN: JSON.stringify({ name: source, origin }),
        POWERTOOLS_SERVICE_NAME: lake.names.service(spec.name),
        POWERTOOLS_METRICS_NAMESPACE: 'Strata',
        NODE_OPTIONS: '--enable-source-maps',
      },
    });
    grantSource(role, props, network !== undefined);
    this.#grantSecrets(role, props);
    acknowledge(
      role.node.findChild('DefaultPolicy'),
      'IAM5[Resource::*]',
      'X-Ray has no resources that a policy could name',
    );
    this.#schedule(options.schedule, props);
  }

  #grantSecrets(role: Role, { origin, options }: SourceProps): void {
    const given: Record<string, string> = {};
    const secrets = options.secrets ?? {};
    for (const name of secretsOf(origin)) {
      const secret = secrets[name];
      if (secret === undefined) {
        // Secrets Manager puts six characters of its own after a name.
        const resourceName = `${name}-??????`;
        const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
        const resource = Stack.of(this).formatArn({
          service: 'secretsmanager',
          resource: 'secret',
          resourceName,
          arnFormat,
        });
        const actions = ['secretsmanager:GetSecretValue'];
        role.addToPolicy(
          new PolicyStatement({ sid: `Secret${name.replaceAll('_', '')}`, actions, resources: [resource] }),
        );
        continue;
      }
      given[name] = secret.secretArn;
      secret.grantRead(role);
    }
    if (Object.keys(given).length > 0) this.function.addEnvironment('STRATA_SECRETS', JSON.stringify(given));
  }

  /** Whoever calls the function may call this one alone; what cannot be delivered goes to the dead letters. */
  #schedule(schedule: string, { spec, source, deadLetters }: SourceProps): void {
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: schedulesOf(this),
      description: `The schedule of the source ${source} of the pipeline ${spec.name}`,
    });
    const invoke = new Policy(this, 'Invoke', {
      statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.function.functionArn] })],
    });
    invoke.attachToRole(role);
    deadLetters.grantSendMessages(role);
    const made = new CfnSchedule(this, 'Schedule', {
      description: `Lands the source ${source} of the pipeline ${spec.name}`,
      scheduleExpression: schedule,
      scheduleExpressionTimezone: 'UTC',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: this.function.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ pipeline: spec.name }),
        retryPolicy: { maximumRetryAttempts: ATTEMPTS, maximumEventAgeInSeconds: 3_600 },
        deadLetterConfig: { arn: deadLetters.queueArn },
      },
    });
    made.node.addDependency(role, invoke);
  }
}

/** Files of the one source, and what says which of them is the last: of a topic the claims of its partitions. */
function grantSource(role: Role, { lake, spec, source, origin }: SourceProps, inVpc: boolean): void {
  const policy = new Policy(role, 'Lake');
  const may = ['list', 'read', 'write'] as const;
  const objects: readonly ObjectGrant[] = [
    { zone: 'bronze', below: [`${source}/`], may },
    { zone: 'ops', below: [`${origin.kind === 'kafka' ? '_topics' : '_origins'}/${source}/`], may },
  ];
  for (const grant of objects) grantObjects(policy, grant, lake, { pipelines: [spec.name], whose: '' });
  useKeys(policy, lake);
  if (inVpc) grantNetwork(policy);
  grantTracing(policy);
  policy.attachToRole(role);
}

function networkOf(scope: Construct, { spec, source, options }: SourceProps) {
  const { vpc, vpcSubnets, securityGroups } = options;
  if (vpc === undefined) {
    if (vpcSubnets === undefined && securityGroups === undefined) return undefined;
    throw new InvalidInput(
      `pipeline ${spec.name}: origins.${source}: vpcSubnets or securityGroups without vpc; expected a vpc too, or none of them`,
    );
  }
  const description = `What lands the source ${source} of the pipeline ${spec.name}`;
  const groups = securityGroups ?? [new SecurityGroup(scope, 'SecurityGroup', { vpc, description })];
  return { vpc, ...(vpcSubnets === undefined ? {} : { vpcSubnets }), securityGroups: [...groups] };
}
