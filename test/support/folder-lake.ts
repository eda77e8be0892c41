import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { createLocalStore, type LocalStoreOptions } from '../../lib/adapters/store/local.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { Borrowed, Engine, ObjectStore, Statement } from '../../lib/ports.ts';
import { keyOf, openTestLake, type TestLake, type TestPipeline } from './test-lake.ts';

/** A test's lake in a folder of the local store. */
export type FolderLake = {
  readonly lake: TestLake;
  readonly root: string;
  /** The path of a landed file. */
  path(source: string, file: string): string;
  /** Lands as an upload does: whole, under a new inode. */
  land(source: string, file: string, content: string | Uint8Array): Promise<void>;
  close(): void;
};

export async function openFolderLake(
  pipeline: TestPipeline,
  options: Omit<LocalStoreOptions, 'root' | 'durable'> = {},
): Promise<FolderLake> {
  const inMemory = await openTestLake(pipeline);
  const root = join(inMemory.scratch, 'lake');
  const store = createLocalStore({ root, durable: false, ...options });
  const lake = inMemory.reopen((deps) => onStore(deps, store));
  const path = (source: string, file: string): string => join(root, 'bronze', pipeline.name, source, file);
  return {
    lake,
    root,
    path,
    async land(source, file, content) {
      const target = path(source, file);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(join(root, 'landing'), content);
      await rename(join(root, 'landing'), target);
    },
    close: () => inMemory.close(),
  };
}

export function onStore(deps: StepDeps, store: ObjectStore): StepDeps {
  return { ...deps, store, catalog: createFileCatalog(store, { parse: parseMetadata, render: renderMetadata }) };
}

/** When, while landed files are read, something else happens. */
export const MOMENTS = [
  'before they are borrowed',
  'before they are inspected',
  'before they are parsed',
  'when all is read',
] as const;
export type Moment = (typeof MOMENTS)[number];

/** The same lake in which `act` happens at a moment of reading landed files, at most `times` times. */
export function meanwhile(lake: TestLake, moment: Moment, act: () => Promise<void>, times = 1): TestLake {
  let left = times;
  const at = async (reached: Moment): Promise<void> => {
    if (reached !== moment || left === 0) return;
    left -= 1;
    await act();
  };
  return lake.reopen((deps) => {
    const store: ObjectStore = {
      ...deps.store,
      async borrow(objects) {
        if (!objects.some((object) => keyOf(object).startsWith('bronze/'))) return deps.store.borrow(objects);
        await at('before they are borrowed');
        const borrowed = await deps.store.borrow(objects);
        await at('before they are inspected');
        return watched(borrowed, () => at('when all is read'));
      },
    };
    return onStore({ ...deps, engine: watchedEngine(deps.engine, () => at('before they are parsed')) }, store);
  });
}

function watched(borrowed: Borrowed, beforeVerify: () => Promise<void>): Borrowed {
  return {
    ...borrowed,
    async verify() {
      await beforeVerify();
      return borrowed.verify();
    },
  };
}

function watchedEngine(engine: Engine, beforeParse: () => Promise<void>): Engine {
  return {
    async open(options) {
      const session = await engine.open(options);
      return {
        ...session,
        async run(statement: Statement) {
          if (statement.name === 'parse') await beforeParse();
          return session.run(statement);
        },
      };
    },
  };
}

/** A lake in a folder for the time of a test. */
export async function withFolderLake(pipeline: TestPipeline, use: (lake: FolderLake) => Promise<void>): Promise<void> {
  const opened = await openFolderLake(pipeline);
  try {
    await use(opened);
  } finally {
    opened.close();
  }
}
