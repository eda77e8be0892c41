import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type {
  CopyStatement,
  Engine,
  JsonValue,
  Row,
  Session,
  SessionOptions,
  Statement,
  WrittenFile,
} from '../../lib/ports.ts';

/** What a statement answered; of a COPY with the files that it wrote, by their path below the folder that it names. */
type Answer = {
  readonly value: unknown;
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
};

/** By what was asked. */
export type Answers = Map<string, Answer>;

/** What a statement asks: its own text, after which statements, of files with which content. */
type Asked = { readonly key: string; readonly folder: string | undefined };

/**
 * An engine that asks another once for the same: the same statements in the same order over files of the same content. SQL
 * of a run depends on nothing else (invariant 8), so that thousands of schedules cost the few sessions in which they differ.
 */
export function createMemoEngine(engine: Engine, answers: Answers = new Map()): Engine {
  return { open: async (options) => memoSession(engine, options, answers) };
}

function memoSession(engine: Engine, options: SessionOptions, answers: Answers): Session {
  const done: Statement[] = [];
  let state = '';
  let opened: Promise<Session> | undefined;
  /** Opened when something is asked for the first time, and then brought to where it would be. */
  const real = async (): Promise<Session> => {
    opened ??= engine.open(options).then(async (session) => {
      // What has been done over files that were given back since cannot be done again, and nobody asks for it any more.
      for (const statement of done) await session.run(statement).catch(() => undefined);
      return session;
    });
    return opened;
  };
  const ask = async <T>(kind: string, text: string, act: (session: Session) => Promise<T>): Promise<T> => {
    const { key, folder } = askedOf(`${state}\n${kind}\n`, text, options.scratch);
    const known = answers.get(key);
    if (known !== undefined) return repeat<T>(known, folder);
    const value = await act(await real());
    remember(answers, key, folder, value, options.scratch);
    return value;
  };
  return {
    async run(statement) {
      const { key } = askedOf(`${state}\nrun\n`, statement.text, options.scratch);
      if (opened !== undefined) await (await opened).run(statement);
      state = key;
      done.push(statement);
    },
    rows: (statement) => ask<readonly Row[]>('rows', statement.text, (session) => session.rows(statement)),
    describe: (statement) => ask('describe', statement.text, (session) => session.describe(statement)),
    copy: (statement: CopyStatement) =>
      ask<readonly WrittenFile[]>('copy', statement.text, (session) => session.copy(statement)),
    parse: (sql) => ask<JsonValue>('parse', sql, (session) => session.parse(sql)),
    interrupt: () => undefined,
    async [Symbol.asyncDispose]() {
      if (opened !== undefined) await (await opened)[Symbol.asyncDispose]();
    },
  };
}

/** Puts the content of a file in the place of its path; a path of no file is the folder that a COPY writes. */
function askedOf(before: string, text: string, scratch: string): Asked {
  let folder: string | undefined;
  const pattern = new RegExp(`'(${scratch.replaceAll(/[.\\/-]/g, '\\$&')}[^']*)'`, 'g');
  const plain = text.replaceAll(pattern, (_, path: string) => {
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    if (!isFile) folder = path;
    return isFile ? `'${hash(readFileSync(path))}'` : "'<folder>'";
  });
  return { key: hash(before + plain), folder };
}

function remember(answers: Answers, key: string, folder: string | undefined, value: unknown, scratch: string): void {
  const written = folder === undefined || !Array.isArray(value) ? [] : (value as readonly WrittenFile[]);
  const files = written.map(({ path }) => ({ path: relative(folder ?? '', path), bytes: readFileSync(path) }));
  const plain = files.length === 0 ? value : written.map((file, at) => ({ ...file, path: files[at]?.path }));
  // An answer with a path of this session in it is no answer for another.
  if (!JSON.stringify(plain ?? null).includes(scratch)) answers.set(key, { value: plain, files });
}

function repeat<T>({ value, files }: Answer, folder: string | undefined): T {
  if (files.length === 0) return value as T;
  for (const { path, bytes } of files) {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    writeFileSync(`${folder}/${path}`, bytes);
  }
  return (value as readonly WrittenFile[]).map((file) => ({ ...file, path: `${folder}/${file.path}` })) as T;
}

function hash(of: string | Uint8Array): string {
  return createHash('sha256').update(of).digest('hex');
}
