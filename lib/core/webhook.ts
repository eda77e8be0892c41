/** Where alerts are posted to, beside what they go to anyway. The URL is a secret, of which everything has the name alone. */
export type Webhook = {
  /** `slack`: what Slack's incoming webhooks take. `json`: `{ subject, message }`. */
  readonly format: (typeof WEBHOOK_FORMATS)[number];
  readonly secret: string;
};

export const WEBHOOK_FORMATS = ['json', 'slack'] as const;

/** A name that environment variables and secrets of AWS can have. */
export const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** As one text, for the environment of a function. */
export function renderWebhook({ format, secret }: Webhook): string {
  return `${format}:${secret}`;
}

/** Undefined for a text that is none. */
export function parseWebhook(text: string): Webhook | undefined {
  const [format, secret = '', ...rest] = text.split(':');
  const known = WEBHOOK_FORMATS.find((one) => one === format);
  return known === undefined || rest.length > 0 || !SECRET_NAME.test(secret) ? undefined : { format: known, secret };
}
