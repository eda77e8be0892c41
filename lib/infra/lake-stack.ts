import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { NO_PREFIX } from '../core/deployment-names.ts';
import { ZONES } from '../core/objects.ts';
import { setFlags } from './flags.ts';
import { destroysData, Lake, type LakeProps } from './lake.ts';
import { createManagedPolicies, type ManagedPolicies } from './managed-policies.ts';
import { bucketName } from './places.ts';

/** What may be other than the default where the deployment says the rest. */
export type LakeOptions = Omit<LakeProps, 'deployment' | 'pipelines' | 'removalPolicy'> & {
  /** Policies for people and their programs, to attach to their roles; false: none. Default: one of each, for all pipelines. */
  readonly policies?: ManagedPolicies | false;
};

export type LakeStackProps = StackProps &
  LakeProps &
  Pick<LakeOptions, 'policies'> & {
    /** Options that are constructs of this stack, such as a bucket that is looked up. */
    readonly customize?: (stack: Stack) => LakeOptions;
  };

/** A lake in a stack of its own, whose outputs the commands on a laptop look for. It is protected as long as it keeps data. */
export class LakeStack extends Stack {
  readonly lake: Lake;

  constructor(scope: Construct, id: string, props: LakeStackProps) {
    super(scope, id, { terminationProtection: !destroysData(scope, props.removalPolicy), ...props });
    setFlags(this.node);
    // The CDK leaves this id out of logical ones: they are those of a lake that was the stack itself.
    const { policies = {}, ...lakeProps } = { ...props, ...props.customize?.(this) };
    this.lake = new Lake(this, 'Default', lakeProps);
    if (policies !== false) createManagedPolicies(this, this.lake, policies);
    const { names } = this.lake;
    for (const zone of ZONES) {
      const output = `${zone[0]?.toUpperCase()}${zone.slice(1)}Bucket`;
      new CfnOutput(this, output, { value: bucketName(this.lake, zone) });
    }
    new CfnOutput(this, 'Workgroup', { value: names.workgroup });
    new CfnOutput(this, 'DatabasePrefix', { value: names.databasePrefix === '' ? NO_PREFIX : names.databasePrefix });
  }
}
