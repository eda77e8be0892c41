import type { Catalog, Engine, ObjectStore, SessionOptions } from '../ports.ts';

/** What reading a lake needs of the world. */
export type QueryDeps = {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly settings: SessionOptions;
  /** What is personal is masked before SQL sees it; left out: it is shown. */
  readonly hidesPersonal?: boolean;
};
