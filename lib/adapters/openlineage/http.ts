import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { SendEvents } from '../../ports.ts';

const ATTEMPTS = 3;
const TIMEOUT_MS = 15_000;
const FIRST_PAUSE_MS = 1_000;
/** Where collectors listen. Source: openlineage.io/docs/client/python, transport `http` */
const ENDPOINT = '/api/v1/lineage';

export type HttpEventsDeps = {
  /** Sent as a bearer token; undefined: none is needed. */
  readonly key: string | undefined;
  readonly wait: (ms: number) => Promise<unknown>;
  readonly fetch?: typeof fetch;
  /** How often each event is posted; default 3. */
  readonly attempts?: number;
  /** How long an answer is waited for; default 15 s. */
  readonly timeoutMs?: number;
};

/**
 * Posts events one after the other, each up to three times unless it is told otherwise; a URL without a path gets the one where collectors listen. Throws
 * InvalidInput for a key that no header takes and where they are refused, Unavailable where nobody answers.
 */
export function createHttpEvents(address: string, deps: HttpEventsDeps): SendEvents {
  const { key, wait, fetch: send = fetch, attempts = ATTEMPTS, timeoutMs = TIMEOUT_MS } = deps;
  const url = addressOf(address);
  if (url.pathname === '/') url.pathname = ENDPOINT;
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${headerText(key, url)}` }),
  };
  const post = async (body: string): Promise<Refusal | undefined> => {
    try {
      const answer = await send(url, {
        ...{ method: 'POST', headers, body },
        // Whoever follows asks for a page in place of posting, and takes what a login answers for a yes.
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      await answer.body?.cancel();
      if (answer.ok) return undefined;
      return { reason: `answered ${answer.status}`, lasting: answer.status < 500 && answer.status !== 429 };
    } catch (cause) {
      return { reason: `did not answer (${cause instanceof Error ? cause.message : String(cause)})`, lasting: false };
    }
  };
  return async (events) => {
    for (const event of events) {
      const body = JSON.stringify(event);
      for (let attempt = 1; ; attempt += 1) {
        const refusal = await post(body);
        if (refusal === undefined) break;
        const said = `${url.origin} ${refusal.reason}`;
        if (refusal.lasting) {
          throw new InvalidInput(
            `${said}: expected a collector of OpenLineage events there, and the key in OPENLINEAGE_API_KEY if it needs one`,
          );
        }
        if (attempt === attempts) throw new Unavailable(attempts === 1 ? said : `${said}, ${attempts} times`);
        await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1));
      }
    }
  };
}

/** What fetch says of a header that cannot be repeats it. */
function headerText(key: string, { origin }: URL): string {
  const text = key.trim();
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new InvalidInput(
    `the key of ${origin} is no text for a header: expected printable ASCII characters, and no spaces`,
  );
}

/** What fetch says of an address with a password repeats it. */
function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && url.username === '' && url.password === '') return url;
  throw new InvalidInput(
    `--to: got ${url === null ? 'no URL' : 'a URL with a name or a password'}; expected one such as https://marquez.example.com, and a key in OPENLINEAGE_API_KEY`,
  );
}

type Refusal = { readonly reason: string; readonly lasting: boolean };
