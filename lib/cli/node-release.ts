import type { ChildProcess } from 'node:child_process';

/** From 22.18 on Node reads TypeScript, which pipeline files are; from 22.6 on it does when it is asked to. */
const ASKED = [22, 6] as const;
const STRIP = '--experimental-strip-types';

/** The running Node, as `process` describes it. */
export type NodeRelease = {
  readonly version: string;
  readonly features: { readonly typescript?: unknown };
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
};

export type Beginning =
  | { readonly kind: 'here' }
  /** The same command has to be begun again, with these flags for Node. */
  | { readonly kind: 'again'; readonly flags: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string };

/** Whether this Node can read pipeline files, and what to do when it cannot. */
export function beginOn({ version, features, execArgv, env }: NodeRelease): Beginning {
  const asked = [...execArgv, env['NODE_OPTIONS'] ?? ''].some((flag) => flag.includes(STRIP));
  if (features.typescript || asked) return { kind: 'here' };
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > ASKED[0] || (major === ASKED[0] && minor >= ASKED[1])) {
    return { kind: 'again', flags: [STRIP, '--disable-warning=ExperimentalWarning'] };
  }
  const message =
    `Node ${version} cannot read pipeline files, which are TypeScript: expected Node 22.6 or later, at best 24. ` +
    'Install it from https://nodejs.org, or beside this project with: npm install --save-dev node@24';
  return { kind: 'refused', message };
}

/**
 * Waits for the end of a command that was begun again, and answers its exit code. Ctrl-C reaches both processes by
 * itself; what is sent to this one alone is handed on.
 */
export function followChild(child: ChildProcess): Promise<number> {
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
}
