import { Annotations, NestedStack, RemovalPolicy } from 'aws-cdk-lib';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import { type DeploymentNames, deploymentNames } from '../core/deployment-names.ts';
import { InvalidInput } from '../core/errors.ts';
import type { Zone } from '../core/objects.ts';
import { type BucketRules, createBuckets, endRunFolders } from './buckets.ts';
import { createDatabases, createWorkgroup } from './catalog.ts';
import { setFlags } from './flags.ts';
import { grantQuery, grantRead, grantUpload } from './grants.ts';
import { createLakeDashboard, type LakeDashboard } from './lake-dashboard.ts';
import { createLakeKey } from './lake-key.ts';
import type { GivenBuckets, LakePlaces } from './places.ts';
import { mayDestroy } from './settings.ts';

/** A lake that pipelines can be made for. */
export interface ILake extends IConstruct, LakePlaces {
  /** Makes room for a pipeline, once: its databases, and an end to what its runs leave. A Pipeline asks for it by itself. */
  addPipeline(pipeline: string): void;
  /** Shows alarms of a pipeline, by their names, on the lake's dashboard. A Pipeline asks for it by itself. */
  showAlarms(pipeline: string, names: readonly string[]): void;
  /** Lets read the tables of a pipeline, or of all, through Glue and S3: Spark, Trino, PyIceberg, DuckDB. */
  grantRead(grantee: IGrantable, pipeline?: string): void;
  /** Lets query those tables in the lake's Athena workgroup. */
  grantQuery(grantee: IGrantable, pipeline?: string): void;
  /** Lets put files into bronze for a pipeline, or for one of its sources. */
  grantUpload(grantee: IGrantable, pipeline: string, source?: string): Grant;
}

export type LakeAttributes = {
  /** Part of all names, so that several lakes share an account; default: none. */
  readonly deployment?: string;
  /** Buckets to use instead of the lake's own. */
  readonly buckets?: GivenBuckets;
  /** The customer-managed key of the data; default: S3's own encryption. */
  readonly dataKey?: IKey;
};

export type LakeProps = LakeAttributes & {
  /** 'kms' without `dataKey`: the lake's own key, which encrypts logs too. It may be changed at any time. Default: 'kms' with `dataKey`, else 's3'. */
  readonly encryption?: 's3' | 'kms';
  /** The bucket of access logs; default: one of the lake's own. */
  readonly accessLogs?: IBucket;
  /** How long replaced versions and the folders of runs stay in the lake's own buckets. */
  readonly rules?: BucketRules;
  /** What one query of Athena may scan, in GB; default: 100. */
  readonly athenaScanLimitGb?: number;
  /** One page in CloudWatch on all pipelines. Default: true. */
  readonly dashboard?: boolean;
  /** Pipelines that are no constructs of this app, but have their tables here. */
  readonly pipelines?: readonly string[];
  /**
   * Pipelines whose databases are there already, left by a pipeline that was removed: they are used as they are, and stay outside of
   * the stack.
   */
  readonly adopt?: readonly string[];
  /**
   * true: the databases of each pipeline are in a nested stack of their own, so that a lake has room for more than 160 pipelines. To be set
   * before the first deployment: a database does not move from a stack to another. Default: all are in the lake's own stack.
   */
  readonly nestDatabases?: boolean;
  /** DESTROY removes the data with the lake, if the context flag destroyData is set too. Default: it is kept, unless its first deployment fails. */
  readonly removalPolicy?: RemovalPolicy;
};

abstract class LakeBase extends Construct implements ILake {
  readonly names: DeploymentNames;
  readonly given: GivenBuckets;
  abstract readonly dataKey: IKey | undefined;
  abstract readonly ownKey: IKey | undefined;
  readonly #pipelines = new Set<string>();
  readonly #forAll: ((pipeline: string) => unknown)[] = [];

  constructor(scope: Construct, id: string, { deployment, buckets = {} }: LakeAttributes) {
    super(scope, id);
    setFlags(this.node);
    this.names = deploymentNames(deployment, 'deployment');
    this.given = buckets;
  }

  get keys(): readonly IKey[] {
    const keys = [
      this.ownKey === undefined ? this.dataKey : undefined,
      ...Object.values(this.given).map(({ encryptionKey }) => encryptionKey),
    ];
    return [...new Set(keys.filter((key) => key !== undefined))];
  }

  addPipeline(pipeline: string): void {
    if (this.#pipelines.has(pipeline)) return;
    this.#pipelines.add(pipeline);
    this.makeRoom(pipeline);
    for (const grant of this.#forAll) grant(pipeline);
  }

  grantRead(grantee: IGrantable, pipeline?: string): void {
    // Those that are added later count as well.
    if (pipeline === undefined) this.#forAll.push((later) => grantRead(this, grantee, later));
    for (const one of pipeline === undefined ? this.#pipelines : [pipeline]) grantRead(this, grantee, one);
  }

  grantQuery(grantee: IGrantable, pipeline?: string): void {
    grantQuery(this, grantee);
    this.grantRead(grantee, pipeline);
  }

  grantUpload(grantee: IGrantable, pipeline: string, source?: string): Grant {
    return grantUpload(this, grantee, { pipeline, ...(source === undefined ? {} : { source }) });
  }

  abstract showAlarms(pipeline: string, names: readonly string[]): void;
  protected abstract makeRoom(pipeline: string): void;
}

/** What stays: buckets, databases, the Athena workgroup, the dashboard, the key of alerts, and the data's key where one is asked for. */
export class Lake extends LakeBase {
  /** A lake that was deployed before, in this account and region. It has room only for the `pipelines` that it was made with. */
  static fromLakeAttributes(scope: Construct, id: string, attributes: LakeAttributes = {}): ILake {
    return new DeployedLake(scope, id, attributes);
  }

  readonly dataKey: IKey | undefined;
  readonly ownKey: IKey | undefined;
  /** Those that were given, and the lake's own. */
  readonly buckets: Readonly<Record<Zone, IBucket>>;
  readonly #destroy: boolean;
  readonly #rules: BucketRules;
  readonly #adopted: ReadonlySet<string>;
  readonly #nested: boolean;
  readonly #dashboard: LakeDashboard | undefined;

  constructor(scope: Construct, id: string, props: LakeProps = {}) {
    super(scope, id, props);
    this.#destroy = destroysData(this, props.removalPolicy);
    this.#rules = props.rules ?? {};
    this.#adopted = new Set(props.adopt);
    this.#nested = props.nestDatabases === true;
    const { names } = this;
    const key = createLakeKey(this, names, this.#destroy);
    this.ownKey = this.#usesOwnKey(props) ? key : undefined;
    this.dataKey = props.dataKey ?? this.ownKey;
    const { dataKey } = this;
    this.buckets = createBuckets(this, {
      names,
      given: this.given,
      accessLogs: props.accessLogs,
      dataKey,
      destroy: this.#destroy,
      rules: this.#rules,
    });
    this.#dashboard = props.dashboard === false ? undefined : createLakeDashboard(this, this);
    for (const pipeline of props.pipelines ?? []) this.addPipeline(pipeline);
    createWorkgroup(this, this, { dataKey, scanLimitGb: props.athenaScanLimitGb ?? 100, destroy: this.#destroy });
    this.#warn(props.removalPolicy);
  }

  protected override makeRoom(pipeline: string): void {
    endRunFolders(this.buckets.ops, pipeline, this.#rules);
    if (!this.#adopted.has(pipeline)) createDatabases(this.#placeOfDatabases(pipeline), this, pipeline, this.#destroy);
    this.#dashboard?.addPipeline(pipeline);
  }

  override showAlarms(pipeline: string, names: readonly string[]): void {
    if (names.length > 0) this.#dashboard?.addAlarms(pipeline, names);
  }

  #placeOfDatabases(pipeline: string): Construct {
    const description = `Strata: databases of the pipeline ${pipeline}`;
    return this.#nested ? new NestedStack(this, `Databases-${pipeline}`, { description }) : this;
  }

  #usesOwnKey({ encryption, dataKey }: LakeProps): boolean {
    if (encryption === 's3' && dataKey !== undefined) {
      throw new InvalidInput(`lake ${this.node.path}: encryption 's3' with dataKey; expected 'kms', or neither`);
    }
    return dataKey === undefined && encryption === 'kms';
  }

  /** About what would otherwise be noticed too late. */
  #warn(removalPolicy: RemovalPolicy | undefined): void {
    const { bronze } = this.given;
    if (bronze !== undefined) {
      Annotations.of(this).addInfo(
        'bronze is a bucket that was given: uploads start runs only if it sends its events to EventBridge, and overwritten ones count only if it is versioned',
      );
    }
    if (removalPolicy === RemovalPolicy.DESTROY && !this.#destroy) {
      Annotations.of(this).addWarningV2(
        'strata:destroyData',
        'removalPolicy DESTROY does nothing without the context flag destroyData: the data is kept',
      );
    }
  }
}

class DeployedLake extends LakeBase {
  readonly dataKey: IKey | undefined;
  readonly ownKey = undefined;

  constructor(scope: Construct, id: string, attributes: LakeAttributes) {
    super(scope, id, attributes);
    this.dataKey = attributes.dataKey;
  }

  /** That is up to the app that has made the lake. */
  protected override makeRoom(): void {}
  override showAlarms(): void {}
}

/** Both the property and the flag are needed. Throws InvalidInput for a flag that is neither true nor false. */
export function destroysData(scope: IConstruct, removalPolicy: RemovalPolicy | undefined): boolean {
  return removalPolicy === RemovalPolicy.DESTROY && mayDestroy(scope.node);
}
