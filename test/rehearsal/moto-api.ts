/** The account that moto takes every caller for, and the region of everything here. */
export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';

/** Whom the harness itself signs as; functions sign as themselves. */
export const HARNESS = { accessKeyId: 'rehearsal', secretAccessKey: 'rehearsal' } as const;

/** Settings for a client of the AWS SDK that the harness uses itself. */
export function clientSettings(endpoint: string): {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: typeof HARNESS;
} {
  return { endpoint, region: REGION, credentials: HARNESS };
}

const SIGNED = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=${HARNESS.accessKeyId}/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=none`;

/**
 * Calls a service that the project has no client of, by the JSON protocol; moto looks at no signature. Throws an Error
 * with the service's own words.
 */
export async function callJson(
  endpoint: string,
  service: string,
  target: string,
  input: object,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      Authorization: SIGNED(service),
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': target,
    },
    body: JSON.stringify(input),
  });
  return answerOf(target, response);
}

/** As `callJson`, for a service with resources of its own by path. */
export async function callRest(
  endpoint: string,
  service: string,
  method: string,
  path: string,
  input: object,
): Promise<Readonly<Record<string, unknown>>> {
  const headers = { Authorization: SIGNED(service), 'Content-Type': 'application/json', Host: service };
  const response = await fetch(new URL(path, endpoint), { method, headers, body: JSON.stringify(input) });
  return answerOf(`${method} ${path}`, response);
}

async function answerOf(what: string, response: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${what}: moto answered ${response.status}: ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
