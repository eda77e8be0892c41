/** What the server of the page's examples answers: the rates of three currencies, two to a page. */
const RATES = [
  ['EUR', '1.0830'],
  ['JPY', '0.00670'],
  ['GBP', '1.2710'],
].map(([currency, usd]) => `{ "currency": "${currency}", "usd": ${usd}, "at": "2026-11-30T12:00:00Z" }`);

globalThis.fetch = async (url, { headers }) => {
  const { origin, pathname, searchParams } = new URL(url);
  if (`${origin}${pathname}` !== 'https://api.example.org/v1/rates') throw new TypeError(`no server at ${origin}`);
  if (headers.get('x-api-key') !== 'k-123') return new Response('who are you?', { status: 401 });
  const [page, rows] = ['page', 'per_page'].map((name) => Number(searchParams.get(name)));
  return new Response(`[${RATES.slice((page - 1) * rows, page * rows)}]`);
};
