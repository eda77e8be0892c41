/** The part of package.json that differs between the repository and the tarball. */
type Entries = { readonly exports: Readonly<Record<string, string>>; readonly bin: Readonly<Record<string, string>> };

type Manifest = Entries & Readonly<Record<string, unknown>>;

const SOURCE = /^(?:\.\/)?(?!dist\/).*\.ts$/;
const BUILT = /^(\.\/)?dist\/(.*)\.js$/;

/**
 * package.json of the tarball: `exports` and `bin` name what was built, `./dist/lib/x.js` for `./lib/x.ts`. All else is
 * the same. `sourceManifest` is its inverse, and both change nothing that is changed already.
 */
export function packedManifest(text: string): string {
  return mapEntries(text, (path) => (SOURCE.test(path) ? path.replace(/^(\.\/)?(.*)\.ts$/, '$1dist/$2.js') : path));
}

/** package.json of the repository, whose entries are the sources themselves. */
export function sourceManifest(text: string): string {
  return mapEntries(text, (path) => path.replace(BUILT, '$1$2.ts'));
}

/** The TypeScript files that a package.json of the repository names: its exports, and its commands. */
export function entriesOf(text: string): { readonly exports: readonly string[]; readonly bin: readonly string[] } {
  const { exports, bin } = JSON.parse(sourceManifest(text)) as Manifest;
  const sources = (paths: Entries['exports']): readonly string[] =>
    Object.values(paths).filter((path) => SOURCE.test(path));
  return { exports: sources(exports), bin: sources(bin) };
}

function mapEntries(text: string, map: (path: string) => string): string {
  const manifest = JSON.parse(text) as Manifest;
  const mapped = (paths: Entries['exports']): Entries['exports'] =>
    Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, map(path)]));
  return `${JSON.stringify({ ...manifest, exports: mapped(manifest.exports), bin: mapped(manifest.bin) }, null, 2)}\n`;
}
