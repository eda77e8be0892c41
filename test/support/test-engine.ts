import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Engine, SessionOptions } from '../../lib/ports.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Below it lie the folders of all lakes of this process; it goes with the process. */
const HOME = temporaryFolder('test');

/** An empty file that readers are tried on. */
export const EMPTY = fileURLToPath(new URL('empty', import.meta.url));

/** A folder of a lake's own. */
export function makeScratch(): string {
  return mkdtempSync(join(HOME, 'lake-'));
}

/**
 * DuckDB for lakes that come and go. To open a database takes longer than most of their statements, and one that was used is kept for
 * sessions with the same settings only. So a session that is confined to a lake's folder is confined to that of all lakes of this process
 * instead, and there are as many engines as there are sessions at once, each of which keeps one database.
 */
export function createTestEngine(): Engine {
  const idle = new Map<string, Engine[]>();
  return {
    async open(options) {
      const given = options.folders?.every((folder) => folder.startsWith(HOME)) ? ofAll(options) : options;
      const key = JSON.stringify(given);
      const waiting = idle.get(key) ?? [];
      idle.set(key, waiting);
      const engine = waiting.pop() ?? createDuckDbEngine({ reuse: true });
      const session = await engine.open(given);
      return {
        ...session,
        async [Symbol.asyncDispose]() {
          await session[Symbol.asyncDispose]();
          waiting.push(engine);
        },
      };
    },
  };
}

function ofAll({ memoryBytes, threads, spillBytes, guarded }: SessionOptions): SessionOptions {
  return {
    memoryBytes,
    threads,
    scratch: HOME,
    folders: [HOME],
    ...(spillBytes === undefined ? {} : { spillBytes }),
    ...(guarded === undefined ? {} : { guarded }),
  };
}

/** Settings of a session that reads what a test looks at, or binds SQL: a thread more would only wait for the other. */
export function readingSession(): SessionOptions {
  return { memoryBytes: 1e9, threads: 1, scratch: HOME, folders: [HOME, EMPTY.slice(0, EMPTY.lastIndexOf('/'))] };
}
