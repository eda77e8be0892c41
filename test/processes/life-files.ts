/** The files of the pipeline `life`: those of a first, undisturbed run, those that wait, and those that land while runs work. */
export type LifeFile = { readonly source: string; readonly name: string; readonly text: string };

const SALES_FILES = 6;
const BAD_PER_FILE = 3;
const FEED_BAD = 4;

/** Rows of all files whose amount is no number; each becomes a TYPE_ERROR once, the repeated ones of the feed apart. */
export const BAD_AMOUNTS = SALES_FILES * BAD_PER_FILE + FEED_BAD;

const SALE = 'id,day,amount\n';
const ITEM = 'sku,seq,price,shop\n';

/** Ingested in peace before anything is disturbed, so that the quarantine has a memory. */
export function firstFiles(): readonly LifeFile[] {
  return [
    { source: 'feed', name: 'a.csv', text: SALE + feedRows(0, 50) + badRows(1000, FEED_BAD) },
    { source: 'sales', name: '0.csv', text: salesFile(0) },
    { source: 'stock', name: '0.csv', text: itemFile(0) },
  ];
}

/** Landed when the disturbed runs begin. The extract and the feed are single files: what they give depends on the batch. */
export function waitingFiles(): readonly LifeFile[] {
  const again = badRows(1000, FEED_BAD);
  return [
    { source: 'feed', name: 'b.csv', text: `${SALE}${feedRows(40, 90)}7,2026-03-01,9999.00\n${again}` },
    { source: 'extract', name: 'a.csv', text: SALE + feedRows(0, 70) },
    { source: 'extract', name: 'empty.csv', text: '' },
    ...[1, 2, 3].map((n) => ({ source: 'sales', name: `${n}.csv`, text: salesFile(n) })),
    ...[0, 1].map((n) => ({ source: 'days', name: `${n}.csv`, text: dayFile(n) })),
    ...[0, 1].map((n) => ({ source: 'prices', name: `${n}.csv`, text: itemFile(n) })),
  ];
}

/** Landed one after the other while runs work; no table depends on which run takes which of them. */
export function laterFiles(): readonly LifeFile[] {
  return [
    { source: 'sales', name: '4.csv', text: salesFile(4) },
    { source: 'prices', name: '3.csv', text: itemFile(3) },
    { source: 'stock', name: '2.csv', text: itemFile(2) },
    { source: 'days', name: '2.csv', text: dayFile(2) },
    { source: 'stock', name: '1.csv', text: itemFile(1) },
    { source: 'prices', name: '2.csv', text: itemFile(2) },
    { source: 'sales', name: '5.csv', text: salesFile(5) },
  ];
}

/** A month of sales, some rows twice, some the same as in the file before, some bad. */
function salesFile(n: number): string {
  const row = (i: number): string => `${i},2026-0${1 + (i % 6)}-${10 + (i % 19)},${i % 97}.${10 + (i % 90)}\n`;
  const rows = Array.from({ length: 3000 }, (_, i) => row(n * 2500 + i));
  return SALE + rows.join('') + rows.slice(0, 20).join('') + badRows(100_000 + n * 100, BAD_PER_FILE);
}

function feedRows(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `${from + i},2026-03-01,${from + i}.50\n`).join('');
}

function badRows(from: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `${from + i},2026-03-01,none\n`).join('');
}

function dayFile(n: number): string {
  return SALE + Array.from({ length: 500 }, (_, i) => `${i},2026-05-0${1 + n},${i}.25\n`).join('');
}

/** Events of 400 things; of every file some are older than those of the file before. */
function itemFile(n: number): string {
  const row = (i: number): string => {
    const seq = (i * 7 + n * 13) % 40;
    return `sku-${i % 400},${seq},${1 + ((seq + (i % 400)) % 5)}.00,shop-${(seq * 3) % 4}\n`;
  };
  return ITEM + Array.from({ length: 2000 }, (_, i) => row(i)).join('');
}
