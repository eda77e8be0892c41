import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { HttpOrigin, Named } from '../../core/origins.ts';

/** A page, and all pages, are no larger: they are held in memory. */
const LARGEST_PAGE = 64 * 2 ** 20;
const LARGEST_LIST = 256 * 2 ** 20;
const FIRST_PAUSE_MS = 1_000;
/** Who is asked to wait longer ends, and is started again later. */
const LONGEST_PAUSE_MS = 300_000;

export type HttpDeps = {
  /** A secret by its name; undefined for one that is not there. */
  readonly secret: (name: string) => Promise<string | undefined>;
  readonly wait: (ms: number) => Promise<unknown>;
  readonly now: () => Date;
};

/** The records of all pages as one JSON array, in the very text in which the server gave them. */
export type HttpList = { readonly text: string; readonly records: number };

/**
 * Asks for all pages, one after the other. Throws InvalidInput for a secret that is not there, a server that refuses and an
 * answer that is no list; Unavailable where a page was not given as often as the origin says. Errors name the URL without its
 * query, and nothing of what was answered.
 */
export async function fetchList(origin: HttpOrigin, deps: HttpDeps): Promise<HttpList> {
  const query = await withSecrets(origin.query, 'parameter', deps);
  const headers = await withSecrets(origin.headers, 'header', deps);
  const parts: string[] = [];
  let [records, size] = [0, 0];
  for (const page of pagesOf(origin)) {
    const url = new URL(origin.url);
    for (const [name, text] of [...query, ...page.query]) url.searchParams.set(name, text);
    const what = `${origin.url}${page.name}`;
    const text = await fetchPage({ url, headers, what, origin }, deps);
    const list = parseList(text, what);
    if (list.records === 0) break;
    parts.push(list.inside);
    records += list.records;
    size += list.inside.length;
    if (size > LARGEST_LIST) throw tooLarge(what, 'all pages are', LARGEST_LIST, 'Ask for fewer in one source');
  }
  return { text: `[${parts.join(',\n')}]\n`, records };
}

type Page = { readonly name: string; readonly query: readonly (readonly [string, string])[] };

function pagesOf({ pages }: HttpOrigin): readonly Page[] {
  if (pages === undefined) return [{ name: '', query: [] }];
  const { count, number, first, size } = pages;
  return Array.from({ length: count }, (_, index) => ({
    name: ` (${number} ${first + index})`,
    query: [
      ...(size === undefined ? [] : [[size.parameter, String(size.rows)] as const]),
      [number, String(first + index)] as const,
    ],
  }));
}

async function withSecrets(
  named: readonly Named[],
  kind: 'parameter' | 'header',
  { secret }: HttpDeps,
): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const one of named) {
    if ('text' in one) found.push([one.name, one.text]);
    else found.push([one.name, secretText(one.secret, `the ${kind} ${one.name}`, await secret(one.secret))]);
  }
  return found;
}

function secretText(name: string, use: string, text: string | undefined): string {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') {
    throw new InvalidInput(
      `no secret ${name}: expected what ${use} has, in an environment variable of that name or, on AWS, a secret of that name`,
    );
  }
  if (/^[\x20-\x7e]*$/.test(trimmed)) return trimmed;
  throw new InvalidInput(`the secret ${name} is no text for ${use}: expected printable ASCII characters alone`);
}

type Question = {
  readonly url: URL;
  readonly headers: readonly (readonly [string, string])[];
  /** For people. */
  readonly what: string;
  readonly origin: HttpOrigin;
};

async function fetchPage(question: Question, deps: HttpDeps): Promise<string> {
  const { what, origin } = question;
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask(question, deps);
    if (answer.kind === 'text') return answer.text;
    if (answer.kind === 'refused') throw new InvalidInput(`${what} ${answer.reason}; nothing was landed`);
    const pause = answer.pauseMs ?? FIRST_PAUSE_MS * 2 ** attempt;
    const again = attempt === 0 ? '' : `, ${attempt + 1} times`;
    if (attempt >= origin.retries) throw new Unavailable(`${what} ${answer.reason}${again}; nothing was landed`);
    if (pause > LONGEST_PAUSE_MS) {
      const later = `asks to wait ${Math.ceil(pause / 1_000)} s`;
      throw new Unavailable(`${what} ${answer.reason} and ${later}; nothing was landed: fetch again after that`);
    }
    await deps.wait(pause);
  }
}

type Answer =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'passing'; readonly reason: string; readonly pauseMs?: number };

async function ask({ url, headers, what, origin }: Question, { now }: HttpDeps): Promise<Answer> {
  const signal = AbortSignal.timeout(origin.timeoutMs);
  const all = new Headers([['accept', 'application/json']]);
  for (const [name, text] of headers) all.set(name, text);
  try {
    const answer = await fetch(url, {
      headers: all,
      // A redirect would take secrets to where nobody said.
      redirect: 'manual',
      signal,
    });
    if (answer.ok) return { kind: 'text', text: await bodyOf(answer, what) };
    await answer.body?.cancel();
    const reason = `answered ${answer.status}`;
    if (![408, 425, 429].includes(answer.status) && answer.status < 500) {
      return { kind: 'refused', reason: `${reason}, expected 200${adviceFor(answer.status)}` };
    }
    const pauseMs = retryAfter(answer.headers.get('retry-after'), now());
    return { kind: 'passing', reason, ...(pauseMs === undefined ? {} : { pauseMs }) };
  } catch (cause) {
    if (cause instanceof InvalidInput) throw cause;
    return { kind: 'passing', reason: `did not answer whole (${codeOf(cause, origin)})` };
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return ': the secret of a header or parameter may be wrong';
  if (status >= 300 && status < 400) return ': it has moved; put the URL of now into the pipeline';
  return '';
}

/** Seconds, or a date. Source: RFC 9110, 10.2.3. */
function retryAfter(text: string | null, now: Date): number | undefined {
  if (text === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now.getTime();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

async function bodyOf(answer: Response, what: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_PAGE) throw tooLarge(what, 'it is', LARGEST_PAGE, 'Ask for fewer records to a page');
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw noList(what, 'text that is no UTF-8');
  }
}

function tooLarge(what: string, which: string, most: number, advice: string): InvalidInput {
  return new InvalidInput(`${what}: ${which} more than ${most / 2 ** 20} MiB; nothing was landed. ${advice}`);
}

/** The words of such an error name the host and what was asked. */
function codeOf(cause: unknown, { timeoutMs }: HttpOrigin): string {
  const { name, cause: inner } = cause instanceof Error ? cause : { name: 'unknown', cause: undefined };
  if (name === 'TimeoutError') return `${timeoutMs / 1_000} s are over`;
  const code = (inner as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : name;
}

function parseList(text: string, what: string): { readonly inside: string; readonly records: number } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw noList(what, text.trim() === '' ? 'nothing' : 'text that is no JSON');
  }
  if (!Array.isArray(value)) throw noList(what, value === null ? 'null' : `a JSON ${typeof value}`);
  return { inside: text.trim().slice(1, -1).trim(), records: value.length };
}

function noList(what: string, got: string): InvalidInput {
  return new InvalidInput(`${what} answered ${got}: expected a JSON array of records; nothing was landed`);
}
