#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Loaded after this, so that Node keeps its compiled form: stripping types anew takes longer than a small run.
enableCompileCache();
const { main } = await import('../lib/cli/main.ts');

process.exitCode = await main(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
