import { RemovalPolicy } from 'aws-cdk-lib';
import { type Alarm, type IMetric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Connections, type IConnectable, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { type IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { InvalidInput } from '../core/errors.ts';
import { createAlarms } from './alarms.ts';
import { createAuditLog } from './catalog.ts';
import { connectEngines } from './engines.ts';
import { setFlags } from './flags.ts';
import { createFunctions, type Functions, type Network, nameOfBundle } from './functions.ts';
import { grantStart } from './grants.ts';
import type { ILake } from './lake.ts';
import { machineMetric, ownMetric, succeededRuns } from './metrics.ts';
import { connectOpenLineage } from './openlineage.ts';
import { createOrigins } from './origins.ts';
import { connectPage } from './page.ts';
import type { PipelineProps } from './pipeline-props.ts';
import { bundlesFor, maintenanceDefinition, medallionDefinition } from './project.ts';
import { createRoles } from './roles.ts';
import { connectSink, servingNetwork } from './serving.ts';
import { createStateMachine } from './state-machine.ts';
import { connectTopic, connectWebhook, createTopic, openToAlarms } from './topic.ts';
import { createTriggers, maintainAfter, wakeWaiting } from './triggers.ts';

/** What runs a pipeline: functions, state machine, triggers, alarms. It holds no data, and can be removed and made again. */
export class Pipeline extends Construct implements IConnectable {
  readonly pipelineName: string;
  readonly lake: ILake;
  readonly stateMachine: IStateMachine;
  /** Rewrites data files of the pipeline's tables, beside its runs. */
  readonly maintenance: IStateMachine;
  readonly functions: Functions;
  readonly topic: ITopic;
  readonly deadLetters: IQueue;
  /** What starts runs by events waits in it; undefined where nothing does. */
  readonly events: IQueue | undefined;
  readonly alarms: readonly Alarm[];
  readonly #network: Network | null;
  readonly #machineName: string;

  constructor(scope: Construct, id: string, props: PipelineProps) {
    super(scope, id);
    setFlags(this.node);
    const { lake, spec } = props;
    this.pipelineName = spec.name;
    this.lake = lake;
    this.#network = networkOf(this, props);
    lake.addPipeline(spec.name);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.DESTROY;
    const logs = { retention: props.logRetention ?? RetentionDays.ONE_MONTH, removalPolicy };
    const { architecture = Architecture.ARM_64 } = props;
    const bundles = props.bundles ?? bundlesFor(nameOfBundle(architecture));
    const serving = spec.serve === undefined ? undefined : servingNetwork(this, spec.name, props.serve ?? {});
    const inVpc = { inVpc: this.#network !== null, servesInVpc: serving !== undefined };
    const roles = createRoles(this, { lake, spec, ...inVpc });
    this.functions = createFunctions(this, {
      ...{ lake, roles, spec, bundles, architecture, logs, network: this.#network },
      ...(serving === undefined ? {} : { serving }),
    });
    if (spec.serve !== undefined) connectSink(this, this.functions, spec.serve, props.serve ?? {});
    connectEngines(this, this.functions, { lake, spec, roles, spark: props.spark });
    const { functions } = this;
    const definition = props.definition ?? medallionDefinition();
    const machine = createStateMachine(this, {
      lake,
      spec,
      functions,
      role: roles.Run,
      machine: 'medallion',
      definition,
      logs,
    });
    const maintenance = createStateMachine(this, {
      lake,
      spec,
      functions,
      role: roles.Run,
      machine: 'maintenance',
      definition: maintenanceDefinition(),
      logs,
    });
    maintainAfter(functions, maintenance);
    wakeWaiting(functions, machine);
    this.maintenance = StateMachine.fromStateMachineArn(this, 'MaintenanceStateMachine', maintenance.arn);
    this.stateMachine = StateMachine.fromStateMachineArn(this, 'StateMachine', machine.arn);
    this.#machineName = machine.name;
    const topic = props.topic ?? createTopic(this, lake, spec.name);
    if (props.topic !== undefined && props.alarms !== false) openToAlarms(this, topic);
    connectTopic(topic, functions, props.alertEmails ?? []);
    if (spec.alerts !== undefined) connectWebhook(this, functions, spec.alerts.webhook);
    if (spec.openlineage !== undefined) connectOpenLineage(this, functions, spec.openlineage);
    if (props.page ?? true) connectPage(this, functions, lake, spec.name);
    this.topic = topic;
    const startOn = props.startOn ?? {};
    const queues = createTriggers(this, {
      lake,
      spec,
      functions,
      role: roles.Run,
      machine,
      maintenance,
      startOn,
      deadLetters: props.deadLetters,
    });
    this.deadLetters = queues.deadLetters;
    this.events = queues.events;
    const { deadLetters } = queues;
    createOrigins(this, { lake, spec, origins: props.origins ?? {}, bundles, architecture, logs, deadLetters });
    const watched = { lake, spec, machine, deadLetters: this.deadLetters };
    const { alarms = {} } = props;
    this.alarms = alarms === false ? [] : createAlarms(this, { ...watched, topic, options: alarms });
    createAuditLog(this, lake, spec.name).node.addDependency(lake);
  }

  /** Of the functions. Throws InvalidInput for a pipeline outside of any VPC. */
  get connections(): Connections {
    if (this.#network === null) {
      throw new InvalidInput(
        `${this.node.path} has no connections: its functions are in no VPC; give it one by the property vpc`,
      );
    }
    return new Connections({ securityGroups: [...this.#network.securityGroups] });
  }

  /** Lets start runs, follow them and read what they answer. */
  grantStart(grantee: IGrantable): Grant {
    const machine = { arn: this.stateMachine.stateMachineArn, name: this.#machineName };
    return grantStart({ lake: this.lake, pipeline: this.pipelineName, machine }, grantee);
  }

  /** The same for its maintenance. */
  grantMaintain(grantee: IGrantable): Grant {
    const name = this.lake.names.maintenance(this.pipelineName);
    const machine = { arn: this.maintenance.stateMachineArn, name };
    return grantStart({ lake: this.lake, pipeline: this.pipelineName, machine }, grantee);
  }

  /** Lets put files into bronze for this pipeline, or for one of its sources. */
  grantUpload(grantee: IGrantable, source?: string): Grant {
    return this.lake.grantUpload(grantee, this.pipelineName, source);
  }

  /** Lets read its tables. */
  grantRead(grantee: IGrantable): void {
    this.lake.grantRead(grantee, this.pipelineName);
  }

  /** Lets query its tables in Athena. */
  grantQuery(grantee: IGrantable): void {
    this.lake.grantQuery(grantee, this.pipelineName);
  }

  /** Executions that ended as FAILED. */
  metricRunsFailed(options?: MetricOptions): IMetric {
    return machineMetric(this.stateMachine.stateMachineArn, 'ExecutionsFailed', options);
  }

  metricRunsStarted(options?: MetricOptions): IMetric {
    return machineMetric(this.stateMachine.stateMachineArn, 'ExecutionsStarted', options);
  }

  metricRunsTimedOut(options?: MetricOptions): IMetric {
    return machineMetric(this.stateMachine.stateMachineArn, 'ExecutionsTimedOut', options);
  }

  /** Runs that published or found nothing new; dry runs are none. */
  metricRunsSucceeded(options?: MetricOptions): IMetric {
    return succeededRuns(this.#service, options);
  }

  /** Milliseconds. */
  metricRunDuration(options?: MetricOptions): IMetric {
    return this.metric('RunDuration', { statistic: Stats.MAXIMUM, ...options });
  }

  /** Of one fate: of all rows read, those that were published, rejected, condemned, or found twice. */
  metricRows(fate: 'Read' | 'Accepted' | 'Quarantined' | 'Condemned' | 'Duplicate', options?: MetricOptions): IMetric {
    return this.metric(`Rows${fate}`, options);
  }

  /** Percent of the rows that a run read. */
  metricQuarantineRate(options?: MetricOptions): IMetric {
    return this.metric('QuarantineRate', { statistic: Stats.MAXIMUM, ...options });
  }

  /** Milliseconds since the run before. */
  metricFreshness(options?: MetricOptions): IMetric {
    return this.metric('Freshness', { statistic: Stats.MAXIMUM, ...options });
  }

  /** USD, by the price table. */
  metricEstimatedCost(options?: MetricOptions): IMetric {
    return this.metric('EstimatedCost', options);
  }

  /** Percent of what a function has, the most of any. */
  metricMemoryUsed(options?: MetricOptions): IMetric {
    return this.metric('MemoryUsedPercent', { statistic: Stats.MAXIMUM, ...options });
  }

  /** Percent of what a call may take, the most of any. */
  metricTimeUsed(options?: MetricOptions): IMetric {
    return this.metric('TimeUsedPercent', { statistic: Stats.MAXIMUM, ...options });
  }

  metricDeadLetters(options?: MetricOptions): IMetric {
    return this.deadLetters.metricApproximateNumberOfMessagesVisible(options);
  }

  /** Anything that the functions measure about a run; docs/aws.md has the list. */
  metric(metricName: string, options?: MetricOptions): IMetric {
    return ownMetric(this.#service, metricName, options);
  }

  get #service(): string {
    return this.lake.names.service(this.pipelineName);
  }
}

function networkOf(scope: Construct, { vpc, vpcSubnets, securityGroups, spec }: PipelineProps): Network | null {
  if (vpc === undefined) {
    if (vpcSubnets === undefined && securityGroups === undefined) return null;
    throw new InvalidInput(
      `pipeline ${spec.name}: vpcSubnets or securityGroups without vpc; expected vpc too, or none`,
    );
  }
  const description = `Functions of the pipeline ${spec.name}`;
  const groups = securityGroups ?? [new SecurityGroup(scope, 'SecurityGroup', { vpc, description })];
  return { vpc, ...(vpcSubnets === undefined ? {} : { vpcSubnets }), securityGroups: groups };
}
