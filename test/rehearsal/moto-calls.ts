/** Requests to a moto server for services whose clients the project does not need otherwise. */
export type Moto = { readonly endpoint: string; readonly region: string; readonly account: string };

export type JsonObject = { readonly [name: string]: unknown };

/** A call of a service that speaks AWS's JSON protocol. `target` is `<service target>.<operation>`. */
export async function callJson<T>(
  { endpoint, region }: Moto,
  service: string,
  target: string,
  body: JsonObject,
): Promise<T> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': target,
      Authorization: signature(region, service),
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** A GET of a service that speaks REST with JSON. */
export async function getJson<T>({ endpoint, region }: Moto, service: string, path: string): Promise<T> {
  const answer = await fetch(`${endpoint}${path}`, { headers: { Authorization: signature(region, service) } });
  if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** moto reads service and region from it and checks nothing else. */
function signature(region: string, service: string): string {
  return `AWS4-HMAC-SHA256 Credential=rehearsal/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}
