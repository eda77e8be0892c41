import { delimiter, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { PACKAGE_NAME, packageFolder } from '../package-files.ts';

/** Where the package lies, and where the user stands. */
export type Standing = {
  /** Absolute. */
  readonly packageFolder: string;
  /** The user's folder, absolute. */
  readonly folder: string;
  /** The script that was called, as Node was given it, absolute. */
  readonly script: string;
  /** The folders of PATH. */
  readonly path: readonly string[];
};

const BELOW = `${sep}node_modules${sep}`;

/**
 * How the command line is called from where the user stands, without arguments: `npm run strata --` in its own
 * repository, `npx strata` in a project that has it installed, `npx <package>` where npx fetched it, `strata` when it is
 * installed for the whole machine.
 */
export function commandAt({ packageFolder, folder, script, path }: Standing): string {
  const [project = '', below] = packageFolder.split(BELOW);
  const [linked = '', bin] = script.split(BELOW);
  if (bin !== undefined && isWithin(linked, folder)) return 'npx strata';
  if (below === undefined) return folder === packageFolder ? 'npm run strata --' : `node ${shellWord(script)}`;
  if (project.split(sep).includes('_npx')) return `npx ${PACKAGE_NAME}`;
  if (isWithin(project, folder)) return 'npx strata';
  return path.includes(dirname(script)) ? 'strata' : `node ${shellWord(script)}`;
}

const SUBCOMMANDS = [
  'approve',
  'backfill',
  'bench',
  'breaker',
  'build',
  'check',
  'compact',
  'compile',
  'completion',
  'consume',
  'cost',
  'dead-letters',
  'demo',
  'describe',
  'diagnose',
  'diff',
  'docs',
  'doctor',
  'drop',
  'executions',
  'expire',
  'exports',
  'fetch',
  'files',
  'generate',
  'history',
  'incident',
  'init',
  'key',
  'land',
  'lineage',
  'mcp',
  'models',
  'openlineage',
  'parity',
  'pipelines',
  'plan',
  'quarantine',
  'query',
  'rebuild',
  'reject',
  'relocate',
  'report',
  'reprocess',
  'review',
  'rollback',
  'run',
  'runbook',
  'runs',
  'schedule',
  'stacks',
  'status',
  'switch',
  'tables',
  'tag',
  'test',
  'trace',
  'vacuum',
].join('|');
const NAMED = new RegExp(`(?<![\\w@/.-]|npx |run )strata(?= (?:${SUBCOMMANDS})\\b)`, 'g');

/** Messages from below the command line call a command `strata run shop`; here they call it as the user can. */
export function nameCommands(text: string, command: string = commandHere()): string {
  return text.replaceAll(NAMED, command);
}

/** `commandAt` for this process. */
export function commandHere(): string {
  const folder = packageFolder();
  return commandAt({
    packageFolder: folder,
    folder: process.cwd(),
    script: process.argv[1] ?? join(folder, 'bin', 'strata.ts'),
    path: (process.env['PATH'] ?? '').split(delimiter),
  });
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !way.startsWith('..') && !isAbsolute(way);
}

/** A word as a POSIX shell reads it back. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
