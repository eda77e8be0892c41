import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { PEERS } from '../../interop/environments.ts';

const PLAYWRIGHT = '1.65.1';

/** Of Playwright, what the tests of the page use. */
export type Browser = {
  newContext(options: {
    readonly viewport: { readonly width: number; readonly height: number };
    readonly colorScheme?: 'light' | 'dark';
  }): Promise<Context>;
  version(): string;
  close(): Promise<void>;
};

type Context = { newPage(): Promise<Page>; close(): Promise<void> };

export type Page = {
  goto(url: string): Promise<unknown>;
  url(): string;
  title(): Promise<string>;
  evaluate<T>(script: string): Promise<T>;
  on(event: 'request', heard: (request: { url(): string }) => void): void;
  on(event: 'console', heard: (message: { text(): string }) => void): void;
  on(event: 'pageerror', heard: (error: Error) => void): void;
  waitForURL(url: string): Promise<void>;
  getByRole(
    role: string,
    options?: { readonly name?: string | RegExp; readonly level?: number; readonly exact?: boolean },
  ): Locator;
  locator(selector: string): Locator;
  readonly keyboard: { press(key: string): Promise<void> };
};

type Locator = Pick<Page, 'getByRole'> & {
  count(): Promise<number>;
  first(): Locator;
  click(): Promise<void>;
  focus(): Promise<void>;
  isVisible(): Promise<boolean>;
  textContent(): Promise<string | null>;
};

type Playwright = {
  readonly chromium: {
    launch(options: {
      readonly executablePath: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string | undefined>>;
    }): Promise<Browser>;
  };
};

/** Starts Debian's Chromium, and installs it and what drives it below .peers when they are not there. CHROMIUM names another one. */
export async function startChromium(): Promise<Browser & AsyncDisposable> {
  const { chromium } = await installPlaywright();
  const { executable, libraries } = await installChromium();
  const browser = await chromium.launch({
    executablePath: executable,
    // Root has no sandbox; and the page is a file of this machine.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    env: libraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries },
  });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}

async function installPlaywright(): Promise<Playwright> {
  const folder = join(PEERS, `playwright-${PLAYWRIGHT}`);
  const own = join(folder, 'node_modules', 'playwright-core', 'index.mjs');
  await once(folder, async (making) => {
    await writeFile(join(making, 'package.json'), '{ "private": true }\n');
    const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
    await command('npm', ['install', '--prefix', making, ...quiet, `playwright-core@${PLAYWRIGHT}`]);
  });
  return (await import(pathToFileURL(own).href)) as Playwright;
}

type Installed = { readonly executable: string; readonly libraries?: string };

/** Its package, and those of the libraries that this machine lacks, unpacked beside each other: nothing is installed for the machine. */
async function installChromium(): Promise<Installed> {
  const given = process.env['CHROMIUM'];
  if (given !== undefined) return { executable: given };
  const folder = join(PEERS, 'chromium');
  await once(folder, async (making) => {
    const apt = [
      ...['-o', `Dir::State::Lists=${join(making, 'lists')}`, '-o', `Dir::Cache=${join(making, 'cache')}`],
      ...['-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User='],
    ];
    await mkdir(join(making, 'lists', 'partial'), { recursive: true });
    await mkdir(join(making, 'cache', 'archives', 'partial'), { recursive: true });
    await command('apt-get', [...apt, '-qq', 'update']);
    const plan = await command('apt-get', [...apt, '-s', '--no-install-recommends', 'install', 'chromium']);
    const names = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
    await command('apt-get', [...apt, '-qq', 'download', ...names], making);
    for (const file of await readdir(making)) {
      if (file.endsWith('.deb')) await command('dpkg-deb', ['--extract', join(making, file), join(making, 'root')]);
      if (file !== 'root') await rm(join(making, file), { recursive: true });
    }
  });
  const [machine = ''] = (await readdir(join(folder, 'root', 'usr', 'lib'))).filter((name) =>
    name.endsWith('-linux-gnu'),
  );
  const libraries = join(folder, 'root', 'usr', 'lib', machine);
  const executable = join(folder, 'root', 'usr', 'lib', 'chromium', 'chromium');
  return { executable, libraries: [libraries, join(libraries, 'pulseaudio')].join(':') };
}

/** Makes a folder whole or not at all. */
async function once(folder: string, make: (making: string) => Promise<void>): Promise<void> {
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  if (there) return;
  console.log(`installing ${folder}`);
  const making = `${folder}.part`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  await make(making);
  await rename(making, folder);
}

async function command(file: string, args: readonly string[], folder?: string): Promise<string> {
  const options = { maxBuffer: 1e8, ...(folder === undefined ? {} : { cwd: folder }) };
  try {
    return (await promisify(execFile)(file, args, options)).stdout;
  } catch (cause) {
    throw new Error(`${file} ${args.join(' ')} failed; CHROMIUM=<path> names a browser that is there`, { cause });
  }
}
