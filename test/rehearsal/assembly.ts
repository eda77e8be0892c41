import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve as resolvePath } from 'node:path';
import type { LambdaFunction } from './function.ts';
import { resolveText, resourcesOf, type Template, type World } from './template.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What `cdk synth` wrote for one pipeline: the text of its templates and the folders of the functions' code. */
export type Assembly = {
  readonly folder: string;
  readonly lake: { readonly name: string; readonly template: Template };
  readonly pipeline: { readonly name: string; readonly template: Template };
};

/** Synthesizes the app as a user would, without credentials, into a folder; it builds the bundles first. */
export async function synthesize(folder: string): Promise<void> {
  const output = await run(join(ROOT, 'node_modules', '.bin', 'cdk'), ['synth', '--quiet', '--output', folder]);
  if (output.code !== 0) throw new Error(`cdk synth ended with ${output.code}:\n${output.text}`);
}

export async function readAssembly(folder: string, pipeline: string): Promise<Assembly> {
  const stack = `strata-${pipeline.replaceAll('_', '-')}`;
  return {
    folder,
    lake: { name: 'strata-lake', template: await readTemplate(folder, 'strata-lake') },
    pipeline: { name: stack, template: await readTemplate(folder, stack) },
  };
}

async function readTemplate(folder: string, stack: string): Promise<Template> {
  const text = await readFile(join(folder, `${stack}.template.json`), 'utf8').catch((cause: unknown) => {
    throw new Error(`no stack ${stack} in ${folder}: expected it among what cdk synth wrote`, { cause });
  });
  return JSON.parse(text) as Template;
}

/**
 * The functions of a stack by the last part of their names (`open`, `plan-stage`, ...): handler, environment, timeout
 * and memory from the template, code from its asset. An asset holds DuckDB for arm64; on another machine the bundle for
 * this one stands in for it, once every other file has proved equal.
 */
export async function functionsOf(
  { folder, pipeline }: Assembly,
  world: World,
): Promise<ReadonlyMap<string, LambdaFunction>> {
  const functions = new Map<string, LambdaFunction>();
  const roots = new Map<string, string>();
  for (const [, properties] of resourcesOf(pipeline.template, 'AWS::Lambda::Function')) {
    const name = resolveText(properties['FunctionName'], world);
    const asset = assetOf(folder, properties['Code']);
    const layers = (properties['Layers'] ?? []) as readonly { readonly Ref: string }[];
    const [layer] = layers.map(({ Ref }) => pipeline.template.Resources[Ref]?.Properties?.['Content']);
    const taskRoot = roots.get(asset) ?? (await runnableCode(asset));
    roots.set(asset, taskRoot);
    const { Variables = {} } = (properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
    functions.set(name.slice(pipeline.name.length + 1), {
      name,
      handler: String(properties['Handler']),
      taskRoot,
      // What Lambda unpacks to /opt lies where it was synthesized to.
      variables: Object.fromEntries(
        Object.entries(Variables).map(([key, value]) => {
          const text = resolveText(value, world);
          return [key, text.startsWith('/opt/') ? join(assetOf(folder, layer), text.slice('/opt/'.length)) : text];
        }),
      ),
      timeoutSeconds: Number(properties['Timeout']),
      memoryMb: Number(properties['MemorySize']),
      tmpMb: (properties['EphemeralStorage'] as { Size: number } | undefined)?.Size ?? 512,
      reservedConcurrency: (properties['ReservedConcurrentExecutions'] as number | undefined) ?? null,
    });
  }
  return functions;
}

/** The unzipped folder of a function's code or a layer's content. */
function assetOf(folder: string, code: unknown): string {
  const { S3Key } = code as { readonly S3Key: string };
  return resolvePath(folder, `asset.${S3Key.replace(/\.zip$/, '')}`);
}

const NATIVE = /^node_modules\/@duckdb\/node-bindings-linux-/;

async function runnableCode(asset: string): Promise<string> {
  const files = await filesIn(asset);
  if (process.arch === 'arm64' || !files.some((file) => NATIVE.test(file))) return asset;
  const common = files.filter((file) => !NATIVE.test(file));
  const twin = join(ROOT, 'dist', 'lambdas', process.arch, common.includes('serve.mjs') ? 'serve' : 'worker');
  const others = (await filesIn(twin)).filter((file) => !NATIVE.test(file));
  if (common.join() !== others.join()) throw new Error(`${twin} and ${asset} hold other files; build and synth anew`);
  for (const file of common) {
    const [one, other] = await Promise.all([readFile(join(asset, file)), readFile(join(twin, file))]);
    if (!one.equals(other)) throw new Error(`${file} is not the same in ${twin} and ${asset}; build and synth anew`);
  }
  return twin;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** A program's output and how it ended; it gets no credentials. */
function run(file: string, args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  return new Promise((ended, failed) => {
    const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part));
    child.on('error', failed);
    child.on('close', (code) => ended({ code, text }));
  });
}
