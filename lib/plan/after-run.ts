import { type ExportSpec, placeOfExport } from '../core/exports.ts';
import { type ServeSpec, servedName } from '../core/serve.ts';

/** What leaves the lake once the tables of a run are published; each left out where nothing does. */
export type AfterRun = {
  readonly exports?: readonly { readonly model: string; readonly kind: ExportSpec['kind']; readonly to: string }[];
  /** By the tables of which they are. */
  readonly serves?: readonly { readonly to: string; readonly from: string }[];
};

export type Leaving = {
  readonly spec: {
    readonly models: readonly { readonly id: string; readonly exports?: readonly ExportSpec[] }[];
    readonly serve?: ServeSpec;
  };
  /** Ids of the models whose tables exist. */
  readonly existing: ReadonlySet<string>;
  /** The branch whose run it is. */
  readonly branch?: string;
  /** Names of served tables that have other rows than the lake's. */
  readonly behind?: ReadonlySet<string>;
};

/** `written`: ids of the models whose tables the run writes. An export of a branch is written by its runs whatever they change, any other with its table. */
export function explainAfter({ spec, existing, branch: own, behind }: Leaving, written: ReadonlySet<string>): AfterRun {
  const exports = spec.models.flatMap(({ id, exports: all = [] }) =>
    all
      .filter(({ branch }) => (branch === undefined ? written.has(id) : branch === own))
      .filter(() => written.has(id) || existing.has(id))
      .map((one) => ({ model: id, kind: one.kind, to: placeOfExport(one) })),
  );
  const { serve } = spec;
  const served = serve?.postgres.tables.filter(({ name, from }) => written.has(from) || behind?.has(name) === true);
  const serves = (serve && served?.map((table) => ({ to: servedName(serve, table), from: table.from }))) ?? [];
  return { ...(exports.length > 0 && { exports }), ...(serves.length > 0 && { serves }) };
}
