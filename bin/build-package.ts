#!/usr/bin/env node
import { join } from 'node:path';
import { buildPackage, restoreManifest } from '../lib/bundle/package.ts';

// npm calls this before it packs, and with --restore afterwards.
const root = join(import.meta.dirname, '..');
if (process.argv.includes('--restore')) await restoreManifest(root);
else await buildPackage(root);
