import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnTable } from 'aws-cdk-lib/aws-glue';
import type { Construct } from 'constructs';
import type { PipelineSpec } from '../core/spec.ts';
import { createAlarms } from './alarms.ts';
import { createDashboard } from './dashboard.ts';
import { createFunctions } from './functions.ts';
import { bucketName, databaseName, type Lake } from './lake.ts';
import type { Settings } from './settings.ts';
import { createStateMachine } from './state-machine.ts';
import { createTopic } from './topic.ts';
import { createTriggers } from './triggers.ts';

export type PipelineStackProps = StackProps & {
  readonly lake: Lake;
  readonly settings: Settings;
  readonly spec: PipelineSpec;
  readonly bundles: string;
  readonly definition: string;
};

/** What runs a pipeline. It holds no data, and can be removed and made again. */
export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    const { lake, settings, spec, bundles, definition } = props;
    const functions = createFunctions(this, { lake, spec, bundles });
    const machine = createStateMachine(this, { lake, spec, functions, definition });
    const topic = createTopic(this, spec.name, settings.alertEmails, functions.Notify);
    const deadLetters = createTriggers(this, { lake, spec, functions, machine });
    const watched = { lake, spec, functions, machine, deadLetters, topic };
    createDashboard(this, watched, createAlarms(this, watched));
    this.createAuditLog(lake, spec);
    this.createOutputs(lake, spec, machine.arn, topic.topicArn);
  }

  /** The rows that functions without an engine write, as Athena reads them. */
  private createAuditLog({ names }: Lake, spec: PipelineSpec): void {
    const columns = ['function', 'event', 'run_id', 'detail'].map((name) => ({ name, type: 'string' }));
    const library = 'org.apache.hadoop.hive.ql.io.parquet';
    new CfnTable(this, 'AuditLog', {
      catalogId: this.account,
      databaseName: databaseName(names, spec.name, 'ops'),
      tableInput: {
        name: 'audit_log',
        description: 'What the starter, Fail and Notify did',
        tableType: 'EXTERNAL_TABLE',
        parameters: { classification: 'parquet' },
        storageDescriptor: {
          location: `s3://${bucketName(names, 'ops')}/ops/${spec.name}/_audit/`,
          columns: [{ name: 'at', type: 'timestamp' }, ...columns],
          inputFormat: `${library}.MapredParquetInputFormat`,
          outputFormat: `${library}.MapredParquetOutputFormat`,
          serdeInfo: { serializationLibrary: `${library}.serde.ParquetHiveSerDe` },
        },
      },
    });
  }

  private createOutputs({ names }: Lake, spec: PipelineSpec, machineArn: string, topicArn: string): void {
    const source = spec.sources[0]?.name ?? '<source>';
    const gold = spec.models.find((model) => model.layer === 'gold') ?? spec.models[0];
    const flag = names.deployment === '' ? '' : ` --stage ${names.deployment}`;
    const table = `${spec.name}_${gold?.layer}.${gold?.name}`;
    const outputs = {
      StateMachineArn: machineArn,
      TopicArn: topicArn,
      UploadCommand: `aws s3 cp <file> s3://${bucketName(names, 'bronze')}/bronze/${spec.name}/${source}/`,
      QueryCommand: `npx strata query --athena${flag} "SELECT * FROM ${table} LIMIT 10"`,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
