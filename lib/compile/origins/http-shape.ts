import { z } from 'zod';
import { parseSpan } from '../../core/durations.ts';
import { type HttpOrigin, type HttpPages, MOST_ROWS_OF_A_PAGE, type Named } from '../../core/origins.ts';
import { SECRET_NAME } from '../../core/webhook.ts';
import { type Notes, placeIn } from '../notes.ts';
import { type Field, type FieldsRead, readFields, span } from '../shape.ts';

const NEAR = ['localhost', '127.0.0.1', '[::1]'];
/** What a header or parameter of such a name has is not written into files that are kept under version control. */
const SECRET_LIKE = /auth|cookie|key|passw|secret|signature|token/i;

const secretName = z.strictObject({ secret: z.string().regex(SECRET_NAME) });
const URL_EXPECTED =
  "a URL such as 'https://api.example.org/markets', without name, password, query or #; http:// only on this machine";
const SECRET_EXPECTED = "secret('NAME'): what says who asks is kept out of files";

export const HTTP = {
  origin: { schema: z.literal('http'), expected: "'http'" },
  url: { schema: z.string().refine(isPlainUrl), expected: URL_EXPECTED, required: true },
  query: {
    schema: z.record(
      z.string().min(1),
      z.union([z.string(), z.number().transform(String), z.boolean().transform(String), secretName]),
    ),
    expected: "parameters by name, such as { vs_currency: 'usd', api_key: secret('API_KEY') }",
  },
  headers: {
    schema: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.union([z.string(), secretName])),
    expected: "headers by name, such as { accept: 'application/json', 'x-api-key': secret('API_KEY') }",
  },
  pages: { schema: z.unknown(), expected: "{ count: 4, rows: 250, number: 'page', size: 'per_page' }" },
  timeout: span(upToFiveMinutes, "a span of at most 5 minutes, such as '15s'"),
  retries: { schema: z.number().int().min(0).max(10), expected: 'a whole number from 0 to 10' },
} as const satisfies Record<string, Field>;

const PAGES = {
  count: { schema: z.number().int().min(1).max(1_000), expected: 'a whole number from 1 to 1000', required: true },
  rows: {
    schema: z.number().int().min(1).max(MOST_ROWS_OF_A_PAGE),
    expected: `a whole number of records to a page from 1 to ${MOST_ROWS_OF_A_PAGE}`,
  },
  number: { schema: z.string().min(1), expected: 'the name of a parameter' },
  size: { schema: z.string().min(1), expected: 'the name of a parameter' },
  first: { schema: z.number().int().min(0), expected: 'a whole number, 0 or more' },
} as const satisfies Record<string, Field>;

/** `read`: what `HTTP` found in the source, whose problems are noted already. */
export function httpOrigin(read: FieldsRead<typeof HTTP>, place: string, notes: Notes): HttpOrigin | undefined {
  const query = namedOf(read.query ?? {}, placeIn(place, 'query'), notes);
  const headers = namedOf(read.headers ?? {}, placeIn(place, 'headers'), notes);
  const pages = read.pages === undefined ? undefined : pagesOf(read.pages, placeIn(place, 'pages'), notes);
  for (const name of [pages?.number, pages?.size?.parameter]) {
    if (name === undefined || !query.some((one) => one.name === name)) continue;
    notes.add(placeIn(placeIn(place, 'query'), name), 'a parameter that pages gives', 'it in one of the two');
  }
  if (read.url === undefined) return undefined;
  return {
    kind: 'http',
    url: read.url,
    query,
    headers,
    ...(pages === undefined ? {} : { pages }),
    timeoutMs: read.timeout ?? 15_000,
    retries: read.retries ?? 3,
  };
}

function pagesOf(value: unknown, place: string, notes: Notes): HttpPages | undefined {
  const read = readFields(PAGES, value, place, HTTP.pages.expected, notes);
  if (read?.count === undefined) return undefined;
  const { count, rows, number = 'page', size = 'per_page', first = 1 } = read;
  return { count, number, first, ...(rows === undefined ? {} : { size: { parameter: size, rows } }) };
}

function namedOf(
  values: Readonly<Record<string, string | { readonly secret: string }>>,
  place: string,
  notes: Notes,
): readonly Named[] {
  return Object.entries(values).map(([name, value]) => {
    if (typeof value !== 'string') return { name, secret: value.secret };
    // Without what stands there, which may be a secret.
    if (SECRET_LIKE.test(name)) notes.add(placeIn(place, name), 'a text', SECRET_EXPECTED);
    return { name, text: value };
  });
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const safe = protocol === 'https:' || (protocol === 'http:' && NEAR.includes(hostname));
  return safe && username === '' && password === '' && search === '' && hash === '';
}

function upToFiveMinutes(text: string): number | undefined {
  const ms = parseSpan(text);
  return ms !== undefined && ms <= 300_000 ? ms : undefined;
}
