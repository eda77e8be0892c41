import type { Progress, SqlEngine } from '../../../core/sql-engine.ts';
import type { TableMetadata } from '../../../iceberg/types.ts';
import type { ObjectStore } from '../../../ports.ts';
import { type Commit, newestMetadata, SHOWN, serveRest } from './rest-catalog.ts';
import { openSession, type SparkCommand, type SparkSession } from './session.ts';
import { placeStatement, progressOf, readEnded, SPARK_CATALOG } from './statement.ts';

export type LocalSparkOptions = {
  readonly command: SparkCommand;
  readonly store: ObjectStore;
  readonly commit: Commit;
  /** Opens a session whose catalog answers at an address. */
  readonly open?: (catalog: string) => Promise<SparkSession>;
};

/**
 * A Spark of this machine, in one session that is opened when it is first needed. This process is its catalog; what a table has become
 * lies in the store. The id of a statement is the key of its object; what a session has begun ends with it.
 */
export function createLocalSpark(options: LocalSparkOptions): SqlEngine<TableMetadata> {
  const { command, store, commit, open = (catalog) => openSession(command, catalog) } = options;
  const known = new Map<string, string>();
  const begun = new Map<string, Progress>();
  let session: Promise<SparkSession> | undefined;
  let catalog: Promise<string> | undefined;

  /** One that did not open, or has ended, is no hindrance to another. */
  const forget = (own: Promise<SparkSession>): void => {
    if (session === own) session = undefined;
  };
  const begin = async (id: string): Promise<void> => {
    catalog ??= serveRest({ store, known, commit });
    session ??= catalog.then(open);
    const own = session;
    const { do: ask } = await own.catch((cause: unknown) => {
      forget(own);
      throw cause;
    });
    begun.set(id, { kind: 'working' });
    void ask(store.location(id)).then((why) => {
      if (why === undefined) return;
      forget(own);
      begun.set(id, { kind: 'failed', reason: why });
    });
  };
  return {
    title: `Spark (${command.python})`,
    dialect: 'spark',
    place: [SPARK_CATALOG, SHOWN],
    async show({ name, metadata }) {
      known.set(name, `${store.key(metadata.location)}/`);
    },
    async shown(name) {
      const folder = known.get(name);
      return folder && store.location(await newestMetadata(store, folder));
    },
    names: async (prefix) => [...known.keys()].filter((name) => name.startsWith(prefix)),
    async hide(names) {
      for (const name of names) known.delete(name);
    },
    async start(sql, _token, key) {
      await placeStatement(store, key, sql);
      if (!begun.has(key) && (await readEnded(store, key)) === undefined) await begin(key);
      return key;
    },
    async look(id) {
      const ended = await readEnded(store, id);
      if (ended !== undefined) return progressOf(ended);
      return begun.get(id) ?? { kind: 'failed', reason: 'the process that had it done has ended' };
    },
    async cancel(id) {
      if (begun.get(id)?.kind === 'working' && (await readEnded(store, id)) === undefined) (await session)?.end();
    },
  };
}
