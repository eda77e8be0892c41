import { InvalidInput, StrataError, Unavailable } from '../../core/errors.ts';
import type { Webhook } from '../../core/webhook.ts';
import type { Alerts, Log } from '../../ports.ts';

const ATTEMPTS = 3;
const TIMEOUT_MS = 8_000;
const FIRST_PAUSE_MS = 1_000;
/** Whoever asks for more is told by the next call. */
const LONGEST_PAUSE_MS = 10_000;
/** Slack cuts longer text. Source: docs.slack.dev/changelog/2018-truncating-really-long-messages */
const LONGEST_TEXT = 39_000;

type Alert = Parameters<Alerts['publish']>[0];

export type WebhookDeps = {
  /** The URL, by the name of the secret; undefined where there is none. */
  readonly secret: (name: string) => Promise<string | undefined>;
  readonly wait: (ms: number) => Promise<unknown>;
  readonly fetch?: typeof fetch;
};

/**
 * Alerts as posts to a webhook. No error says where that is: who has the URL may post there. Throws InvalidInput for a secret that is not
 * there or no URL, and for a webhook that refuses; Unavailable where it does not answer.
 */
export function createWebhookAlerts(webhook: Webhook, { secret, wait, fetch: send = fetch }: WebhookDeps): Alerts {
  return {
    async publish(alert) {
      const url = urlOf(webhook, await secret(webhook.secret));
      const body = JSON.stringify(contentOf(webhook, alert));
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await post(send, url, body);
        if (outcome.kind === 'told') return;
        const said = `the webhook of the secret ${webhook.secret} ${outcome.reason}`;
        if (outcome.kind === 'refused') {
          throw new InvalidInput(`${said}; expected an answer of 200 to 299: put the right URL into the secret`);
        }
        if (attempt === ATTEMPTS) throw new Unavailable(`${said}, ${ATTEMPTS} times`);
        await wait(outcome.pauseMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1));
      }
    },
  };
}

/** Alerts that go to two places. The second is told once the first has been, or never will be; that it was not is a line in the log. */
export function alertingAlso(first: Alerts, second: Alerts, log: Log): Alerts {
  return {
    async publish(alert) {
      const failure = await failureOf(first, alert);
      // Then all is tried again.
      if (failure instanceof StrataError && failure.retryable) throw failure;
      const missed = await failureOf(second, alert);
      if (missed !== undefined) log.warn('the webhook was not told', { cause: missed.message });
      if (failure !== undefined) throw failure;
    },
  };
}

async function failureOf(alerts: Alerts, alert: Alert): Promise<Error | undefined> {
  try {
    await alerts.publish(alert);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

function contentOf({ format }: Webhook, { subject, message }: Alert): object {
  if (format === 'json') return { subject, message };
  // Slack takes these three for its own. Source: docs.slack.dev/messaging/formatting-message-text
  const text = `${subject}\n${message}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: text.slice(0, LONGEST_TEXT) };
}

function urlOf({ secret }: Webhook, text: string | undefined): URL {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') {
    throw new InvalidInput(
      `no secret ${secret}: expected the URL of the webhook, in an environment variable of that name or, on AWS, a secret of that name`,
    );
  }
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  const near = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  if (url !== undefined && (url.protocol === 'https:' || (near && url.protocol === 'http:'))) return url;
  throw new InvalidInput(`the secret ${secret} is no URL of a webhook: expected one that begins with https://`);
}

type Outcome =
  | { readonly kind: 'told' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'passing'; readonly reason: string; readonly pauseMs?: number };

/** A redirect would take the message to where nobody said. */
async function post(send: typeof fetch, url: URL, body: string): Promise<Outcome> {
  const headers = { 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await send(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await answer.body?.cancel();
    if (answer.ok) return { kind: 'told' };
    const reason = `answered ${answer.status}`;
    if (![408, 425, 429].includes(answer.status) && answer.status < 500) return { kind: 'refused', reason };
    const asked = Number(answer.headers.get('retry-after') ?? Number.NaN) * 1_000;
    return Number.isFinite(asked)
      ? { kind: 'passing', reason, pauseMs: Math.min(LONGEST_PAUSE_MS, Math.max(0, asked)) }
      : { kind: 'passing', reason };
  } catch (cause) {
    return { kind: 'passing', reason: `did not answer (${codeOf(cause)})` };
  }
}

/** The words of such an error name the host. */
function codeOf(cause: unknown): string {
  const { name, cause: inner } = cause instanceof Error ? cause : { name: 'unknown', cause: undefined };
  const code = (inner as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : name;
}
