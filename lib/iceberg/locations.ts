import { metadataOf } from './json.ts';
import type { TableMetadata } from './types.ts';

/**
 * The table property that says where a table was before its folder was moved or copied, as a JSON array: files that
 * were written there are named by locations that begin so, and lie under the table's own location now.
 */
export const FORMER_LOCATIONS = 'strata.former-locations';

/** Of a table, what says where its files are. */
type Settled = Pick<TableMetadata, 'location' | 'properties'>;

/** None for a table that has never been moved. */
export function formerLocations({ properties }: Settled): readonly string[] {
  const text = properties[FORMER_LOCATIONS];
  if (text === undefined) return [];
  const read = parseIfJson(text);
  return Array.isArray(read) ? read.filter((one) => typeof one === 'string') : [];
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where a file of the table is that a manifest or an older metadata file names; other locations stay as they are. */
export function locator(table: Settled): (location: string) => string {
  const former = formerLocations(table);
  const isLocal = table.location.startsWith(LOCAL);
  return (written) => {
    if (written.startsWith(`${table.location}/`)) return written;
    const location = isLocal ? respelled(written) : written;
    const from = former.find((one) => location.startsWith(`${one}/`) || written.startsWith(`${one}/`));
    if (from === undefined) return location;
    return `${table.location}${(location.startsWith(`${from}/`) ? location : written).slice(from.length)}`;
  };
}

const LOCAL = 'file:///';

/** The location of a local file as a URL. Hadoop's file systems write `/x` or `file:/x` for `file:///x`. */
function respelled(location: string): string {
  if (location.startsWith('/')) return `file://${location}`;
  return /^file:\/(?!\/)/.test(location) ? `file://${location.slice('file:'.length)}` : location;
}

/**
 * All the names by which rows of delete files may call a file of the table: where it is, where it was, and the ways in
 * which engines write the location of a local file. Rows are not rewritten when a table moves or a manifest is.
 */
export function namesOf(table: Settled): (path: string) => readonly string[] {
  const former = formerLocations(table);
  return (path) => {
    const own = path.startsWith(`${table.location}/`) ? former : [];
    const moved = own.map((from) => `${from}${path.slice(table.location.length)}`);
    return [path, ...moved].flatMap(spellings);
  };
}

function spellings(path: string): readonly string[] {
  if (!path.startsWith(LOCAL)) return [path];
  const plain = path.slice('file://'.length);
  return [path, `file:${plain}`, plain];
}

/** Layer, pipeline and name of a table are the last names of its location. */
const FOLDER_NAMES = 3;

/**
 * Whether a table that was found at a location was moved there: it says that it is elsewhere, in a folder of the same
 * layer, pipeline and name.
 */
export function wasMoved({ location }: Settled, here: string): boolean {
  const folder = (text: string): string => text.split('/').slice(-FOLDER_NAMES).join('/');
  return location !== here && folder(location) === folder(here);
}

/** A moved table as it is where it was found: all that it names of its own files is there, and it remembers where it was. */
export function settleTable(table: TableMetadata, here: string): TableMetadata {
  return moveTable(respellTable(table, here), here);
}

/** What a Hadoop catalog has written of a local table, under the locations by which the lake knows its files. */
function respellTable(table: TableMetadata, here: string): TableMetadata {
  if (!here.startsWith(LOCAL)) return table;
  const named = [table.location, ...table.snapshots.map((one) => one['manifest-list'])];
  if (named.every((one) => respelled(one) === one)) return table;
  const spelled = mapTexts({ ...table, properties: {} }, (text) =>
    respelled(text).startsWith(`${here}/`) || respelled(text) === here ? respelled(text) : text,
  );
  return { ...metadataOf(spelled, here), properties: table.properties };
}

function moveTable(table: TableMetadata, here: string): TableMetadata {
  if (!wasMoved(table, here)) return table;
  const before = new Set([...formerLocations(table), table.location]);
  before.delete(here);
  const former = { [FORMER_LOCATIONS]: JSON.stringify([...before]) };
  const moved = { ...table, location: here, properties: { ...table.properties, ...former } };
  return metadataOf(mapTexts(moved, locator(moved)), here);
}

/** A tree in which every text is mapped. */
export function mapTexts(tree: unknown, map: (text: string) => string): unknown {
  if (typeof tree === 'string') return map(tree);
  if (Array.isArray(tree)) return tree.map((one) => mapTexts(one, map));
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, mapTexts(value, map)]));
}
