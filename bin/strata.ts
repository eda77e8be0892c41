#!/usr/bin/env node
import { spawn } from 'node:child_process';
import module from 'node:module';
import { beginOn, followChild } from '../lib/cli/node-release.ts';
import { visibleText } from '../lib/core/visible.ts';

const args = process.argv.slice(2);
const [script = ''] = process.argv.slice(1);
const beginning = beginOn(process);
switch (beginning.kind) {
  case 'refused':
    console.error(visibleText(beginning.message));
    process.exitCode = 1;
    break;
  case 'again':
    process.exitCode = await followChild(
      spawn(process.execPath, [...process.execArgv, ...beginning.flags, script, ...args], { stdio: 'inherit' }),
    );
    break;
  case 'here': {
    // Loaded after this, so that Node keeps its compiled form: stripping types anew takes longer than a small run.
    module.enableCompileCache?.();
    // The package's files are bundles. Only --debug shows stacks, and only what is loaded later is mapped.
    if (args.includes('--debug')) process.setSourceMapsEnabled(true);
    const { main } = await import('../lib/cli/main.ts');
    process.exitCode = await main(args, { stdout: process.stdout, stderr: process.stderr });
  }
}
