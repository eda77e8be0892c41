import type { Compute, Slo } from '../core/compute.ts';
import type { Descriptions } from '../core/described.ts';
import type { ExportSpec } from '../core/exports.ts';
import type { LineageReceiver } from '../core/lineage-receiver.ts';
import type { OwnRules } from '../core/maintenance-rules.ts';
import type { PromoteSpec } from '../core/promote.ts';
import type { Renamed } from '../core/renames.ts';
import type { Grain } from '../core/run-date.ts';
import type { Branch } from '../core/schedule/branch.ts';
import type { ServeSpec } from '../core/serve.ts';
import type {
  Breaker,
  ColumnCheck,
  Discover,
  Expectation,
  MetadataColumn,
  OtherTable,
  PartitionField,
  PipelineSettings,
  SourceSpec,
  TableRef,
  Variable,
} from '../core/spec.ts';
import type { Column } from '../core/types.ts';
import type { Webhook } from '../core/webhook.ts';
import type { ModeDefinition } from '../define/modes.ts';
import type { JsonValue } from '../ports.ts';
import type { TextDraft, TextDrafts } from './implementations/shape.ts';

/**
 * A pipeline while it is compiled. `sound` is false where a problem has been noted that makes later checks on the
 * same thing pointless: they are skipped, so that one mistake is reported once.
 */
export type PipelineDraft = {
  readonly name: string;
  readonly owner: string | null;
  readonly tier: number | null;
  readonly description: string | null;
  readonly onChange: 'stop' | 'backfill' | 'forward';
  readonly schedule: string | null;
  readonly schedules: readonly Branch[];
  readonly timezone: string | undefined;
  /** Pipelines after which it runs, as far as they are known. */
  readonly after: readonly string[];
  readonly settings: PipelineSettings;
  readonly compute: Compute;
  readonly slo: Slo;
  readonly breaker: Breaker | null;
  readonly alerts: { readonly webhook: Webhook } | undefined;
  readonly promote: PromoteSpec | undefined;
  readonly serve: ServeSpec | undefined;
  readonly openlineage: LineageReceiver | undefined;
  readonly discover: Discover | undefined;
  readonly maintenance: OwnRules | undefined;
  readonly vars: readonly Variable[];
  readonly sources: readonly SourceDraft[];
  readonly models: readonly ModelDraft[];
  /** Every name the user declared, also of things too broken for a draft, so that what names them is not blamed. */
  readonly declared: DeclaredNames;
};

export type DeclaredNames = {
  readonly branches: readonly string[];
  readonly sources: readonly string[];
  readonly silver: readonly string[];
  readonly gold: readonly string[];
};

export type SourceDraft = {
  readonly spec: SourceSpec;
  readonly place: string;
  /** Where each SQL check of a column stands. */
  readonly checkPlaces: ReadonlyMap<ColumnCheck, string>;
  /** Of a seed: the path in the pipeline's folder, until the file is read; null for one that can be none. */
  readonly seedPath?: string | null;
  readonly sound: boolean;
};

export type ModelDraft = {
  readonly id: string;
  readonly ref: TableRef;
  readonly place: string;
  /** Silver: the source; '' when it was not given. Gold: null. */
  readonly from: string | null;
  /** The path as the user wrote it; null for the default of silver, `select *`. */
  readonly sqlFile: string | null;
  /** Present: it has several texts, of which `sqlFile` is the one that it is bound by. */
  readonly texts: TextDrafts | undefined;
  readonly mode: ModeDefinition;
  /** False: the mode was wrong and a default stands in for it. */
  readonly modeSound: boolean;
  readonly metadata: readonly MetadataColumn[];
  readonly refresh: 'touched' | 'full';
  /** Undefined: by the SQL. */
  readonly grain: Grain | undefined;
  readonly partitionBy: readonly { readonly field: PartitionField; readonly place: string }[];
  readonly sortBy: readonly string[];
  readonly zorderBy: readonly string[];
  readonly renamed: Renamed;
  readonly expect: readonly Expectation[];
  readonly backfill: 'auto' | 'never';
  /** Days; undefined: never. */
  readonly closeAfter: number | undefined;
  readonly branch: string | undefined;
  readonly tags: readonly string[];
  readonly exports: readonly ExportSpec[];
  /** As the model says it; undefined: by what it reads. */
  readonly personal: readonly string[] | undefined;
  readonly description: string | null;
  readonly described: Descriptions;
  readonly owner: string | undefined;
  readonly tier: number | undefined;
  readonly sound: boolean;
};

/** A model whose SQL was read and parsed, and whose reads are tables of this pipeline, or for gold of others. */
export type ParsedModel = {
  readonly draft: ModelDraft;
  /** Path from the root of the project, for problems in the SQL. */
  readonly file: string;
  readonly sql: string;
  readonly tree: JsonValue;
  readonly reads: readonly TableRef[];
  /** Keyed tables whose log it names; among `reads` as well. */
  readonly readsLogs: readonly TableRef[];
  /** Tables of other pipelines among `reads`. */
  readonly others: readonly OtherTable[];
  /** Of a model with several texts: all of them. */
  readonly texts?: readonly ParsedText[];
};

/** `parsed` where the text is DuckDB's; that of an engine is taken as it is. */
export type ParsedText = TextDraft & { readonly sql: string; readonly parsed: ParsedModel | undefined };

/** A model whose columns DuckDB has given. `sound` is false for silver SQL that is no row-wise map. */
export type BoundModel = {
  readonly parsed: ParsedModel;
  readonly columns: readonly Column[];
  /** What readers of its table see; `undefined` where a problem with its mode leaves that open. */
  readonly tableColumns: readonly Column[] | undefined;
  readonly sound: boolean;
  /** By the names of its texts for DuckDB: the model as each makes it. */
  readonly texts?: ReadonlyMap<string, BoundModel>;
};
