/**
 * What Lambda's Node runtime does around a handler, over the channel to the process that started this one:
 * `node bootstrap.mjs <task root> <Handler>`; in come { id, event, context, deadline }, out go { kind: 'ready' },
 * { kind: 'answer', id, payload, changed } (what of the process a call has left changed) or { kind: 'error', id, error: { errorType, errorMessage, trace } }.
 * JavaScript, as in Lambda, so that a function's memory is not that of the type stripper.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , root, name] = process.argv;
process.argv.splice(1, process.argv.length);

function describe(thrown) {
  if (!(thrown instanceof Error)) return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  return { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? '').split('\n') };
}

function runtimeError(kind, message) {
  return Object.assign(new Error(message), { name: `Runtime.${kind}` });
}

/** Sends and then ends, since a message still on its way would be lost. */
function endWith(message, code) {
  process.send(message, () => process.exit(code));
}

async function load() {
  const dot = name.lastIndexOf('.');
  const file = ['.mjs', '.js', '.cjs'].map((ending) => join(root, name.slice(0, dot) + ending)).find(existsSync);
  if (file === undefined) throw runtimeError('ImportModuleError', `Cannot find module for ${name} in ${root}`);
  const found = (await import(pathToFileURL(file).href))[name.slice(dot + 1)];
  if (typeof found !== 'function') throw runtimeError('HandlerNotFound', `${name} is undefined or not exported`);
  return found;
}

/** What a call would hand on to the next one in its environment. */
function outside() {
  const { _X_AMZN_TRACE_ID, ...variables } = process.env;
  return { ...variables, 'the working folder': process.cwd(), 'the umask': String(process.umask()) };
}

async function invoke(handler, { id, event, context, deadline }) {
  const given = { ...context, getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) };
  process.env._X_AMZN_TRACE_ID = context.traceId;
  const before = outside();
  try {
    const answer = await handler(event, given);
    const after = outside();
    const changed = Object.keys({ ...before, ...after }).filter((one) => before[one] !== after[one]);
    process.send({ kind: 'answer', id, payload: JSON.stringify(answer ?? null), changed });
  } catch (thrown) {
    process.send({ kind: 'error', id, error: describe(thrown) });
  }
}

process.on('uncaughtException', (thrown) => endWith({ kind: 'crashed', error: describe(thrown) }, 129));
process.on('unhandledRejection', (thrown) => {
  const error = { ...describe(thrown), errorType: 'Runtime.UnhandledPromiseRejection' };
  endWith({ kind: 'crashed', error }, 128);
});
process.on('disconnect', () => process.exit(0));

try {
  const handler = await load();
  process.on('message', (message) => invoke(handler, message));
  process.send({ kind: 'ready' });
} catch (thrown) {
  endWith({ kind: 'crashed', error: describe(thrown) }, 1);
}
