import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { listenOnLoopback } from '../../../lib/cli/mcp/http.ts';
import { createServer } from '../../../lib/cli/mcp/server.ts';
import { openLocalLake } from '../../../lib/runtime/local.ts';
import { PEERS } from '../../interop/environments.ts';

const run = promisify(execFile);
const SUITE = '@modelcontextprotocol/conformance';
const RELEASE = '0.1.16';

/** What of the suite is about servers of any tools; the rest asks for tools and prompts of its own. */
const SCENARIOS: readonly (readonly [name: string, checks: number])[] = [
  ['server-initialize', 1],
  ['ping', 1],
  ['tools-list', 1],
  ['dns-rebinding-protection', 2],
];

let suite: string;
let root: string;
let server: Awaited<ReturnType<typeof listenOnLoopback>>;
before(async () => {
  suite = await install();
  root = await mkdtemp(join(tmpdir(), 'strata-mcp-'));
  const pipelines = join(root, 'pipelines');
  const open = async () => ({
    deps: (await openLocalLake({ root, pipelines, readOnly: true, log: { info() {}, warn() {} } })).deps,
    pipelines,
  });
  server = await listenOnLoopback(() => createServer(open), 0);
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true });
});

for (const [scenario, checks] of SCENARIOS) {
  test(`the protocol's own suite: ${scenario}`, async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    const { stdout } = await run(process.execPath, [suite, 'server', '--url', url, '--scenario', scenario], {
      cwd: root,
    });
    assert.match(stdout, new RegExp(`Passed: ${checks}/${checks}, 0 failed, 0 warnings`));
  });
}

/** Installs the suite below .peers, once, and answers its program. */
async function install(): Promise<string> {
  const folder = join(PEERS, `mcp-conformance-${RELEASE}`);
  const program = join(folder, 'node_modules', SUITE, 'dist', 'index.js');
  if (existsSync(join(folder, 'installed'))) return program;
  console.log(`installing ${SUITE}@${RELEASE} into ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const how = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
  await run('npm', ['install', '--prefix', folder, ...how, `${SUITE}@${RELEASE}`]);
  await writeFile(join(folder, 'installed'), '');
  return program;
}
