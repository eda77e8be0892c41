import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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
type Asked = { readonly key: string; readonly folder: string | undefined; readonly files: Files };

/** Content of files by their path. */
type Files = ReadonlyMap<string, Uint8Array>;

/**
 * An engine that asks another once for the same: the same statements in the same order over files of the same content. SQL
 * of a run depends on nothing else (invariant 8), so that thousands of schedules cost the few sessions in which they differ.
 * What fails is asked again.
 */
export function createMemoEngine(engine: Engine, answers: Answers = new Map()): Engine {
  return { open: async (options) => memoSession(engine, options, answers) };
}

function memoSession(engine: Engine, options: SessionOptions, answers: Answers): Session {
  const { scratch } = options;
  const done: { readonly statement: Statement; readonly files: Files }[] = [];
  let state = options.guarded === true ? 'guarded' : '';
  let opened: Promise<Session> | undefined;
  /** Opened when something is asked for the first time, and then brought to where it would be. */
  const real = async (): Promise<Session> => {
    opened ??= engine.open(options).then(async (session) => {
      await withFiles(new Map(done.flatMap(({ files }) => [...files])), async () => {
        for (const { statement } of done) await repeatRun(session, statement);
      });
      return session;
    });
    return opened;
  };
  const ask = async <T>(kind: string, text: string, act: (session: Session) => Promise<T>): Promise<T> => {
    const { key, folder } = askedOf(`${state}\n${kind}\n`, text, scratch, kind === 'copy');
    const known = answers.get(key);
    if (known !== undefined) return repeat<T>(known, folder);
    const value = await act(await real());
    remember(answers, key, folder, value, scratch);
    return value;
  };
  return {
    async run(statement) {
      const { key, files } = askedOf(`${state}\nrun\n`, statement.text, scratch, false);
      // A file that is written so is read by somebody else.
      const writes = statement.text.startsWith('COPY ');
      if (opened !== undefined || writes || !answers.has(key)) await (await real()).run(statement);
      answers.set(key, NOTHING);
      state = key;
      done.push({ statement, files });
    },
    rows: (statement) => ask<readonly Row[]>('rows', statement.text, (session) => session.rows(statement)),
    describe: (statement) => ask('describe', statement.text, (session) => session.describe(statement)),
    copy: (statement: CopyStatement) =>
      ask<readonly WrittenFile[]>('copy', `${statement.text}\n${statement.exact ?? ''}`, (session) =>
        session.copy(statement),
      ),
    parse: (sql) => ask<JsonValue>('parse', sql, (session) => session.parse(sql)),
    interrupt: () => undefined,
    async [Symbol.asyncDispose]() {
      if (opened !== undefined) await (await opened)[Symbol.asyncDispose]();
    },
  };
}

const NOTHING: Answer = { value: undefined, files: [] };

async function repeatRun(session: Session, statement: Statement): Promise<void> {
  try {
    await session.run(statement);
  } catch (cause) {
    // Not what a statement may fail with, which is dealt with.
    throw new Error(`${statement.name} went through when it was asked first`, { cause });
  }
}

/** With files that were given back since, which are there again for this time. */
async function withFiles(files: Files, act: () => Promise<void>): Promise<void> {
  const made = [...files].flatMap(([path, bytes]) => {
    if (existsSync(path)) return [];
    const folder = mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return [folder ?? path];
  });
  try {
    await act();
  } finally {
    for (const path of made) rmSync(path, { recursive: true, force: true });
  }
}

/** Puts the content of a file in the place of its path, and that of its files for a folder; what is not there yet is what a COPY `writes`. */
function askedOf(before: string, text: string, scratch: string, writes: boolean): Asked {
  let folder: string | undefined;
  const files = new Map<string, Uint8Array>();
  const pattern = new RegExp(`'(${scratch.replaceAll(/[.\\/-]/g, '\\$&')}[^']*)'`, 'g');
  const plain = text.replaceAll(pattern, (_, path: string) => {
    const found = filesAt(path);
    if (found === undefined) {
      folder = path;
      return writes ? "'<folder>'" : `'${path}'`;
    }
    for (const file of found) files.set(file, readFileSync(file));
    return `'${found.map((file) => `${relative(path, file)} ${hash(files.get(file) ?? '')}`).join()}'`;
  });
  return { key: hash(before + plain), folder, files };
}

/** A file, or those below a folder; undefined where nothing is. */
function filesAt(path: string): readonly string[] | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || path.includes('*')) return undefined;
  if (found.isFile()) return [path];
  const below = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return below.map(({ parentPath, name }) => join(parentPath, name)).sort();
}

function remember(answers: Answers, key: string, folder: string | undefined, value: unknown, scratch: string): void {
  const written = folder === undefined || !Array.isArray(value) ? [] : (value as readonly WrittenFile[]);
  const files = written.map(({ path }) => ({ path: relative(folder ?? '', path), bytes: readFileSync(path) }));
  const plain = files.length === 0 ? value : written.map((file, at) => ({ ...file, path: files[at]?.path }));
  // An answer with a path of this session in it is no answer for another.
  if (!JSON.stringify(plain ?? null).includes(scratch)) answers.set(key, { value: plain, files });
}

function repeat<T>({ value, files }: Answer, folder = ''): T {
  if (files.length === 0) return value as T;
  for (const { path, bytes } of files) {
    // A COPY of one file names the file itself.
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  return (value as readonly WrittenFile[]).map((file) => ({ ...file, path: join(folder, file.path) })) as T;
}

function hash(of: string | Uint8Array): string {
  return createHash('sha256').update(of).digest('hex');
}
