import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { InvalidInput } from '../core/errors.ts';
import { templateFolder } from '../package-files.ts';

/** A file to be made: its path below the folder, with `/`, and what it says. */
export type NewFile = { readonly path: string; readonly text: string };

/** Under these names npm packs files that it would take for its own. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** The files of one of the package's templates, in the order of their paths. */
export async function readTemplate(name: string): Promise<readonly NewFile[]> {
  const folder = templateFolder(name);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.sort().map(async (file) => {
      const place = dirname(relative(folder, file)).split(sep).join('/');
      const called = RENAMED[basename(file)] ?? basename(file);
      return { path: place === '.' ? called : `${place}/${called}`, text: await readFile(file, 'utf8') };
    }),
  );
}

/** Makes files that are not there yet. Throws InvalidInput before anything is made when one of them is. */
export async function writeNew(folder: string, files: readonly NewFile[]): Promise<void> {
  const taken: string[] = [];
  for (const { path } of files) if (await isThere(join(folder, path))) taken.push(path);
  if (taken.length > 0) {
    throw new InvalidInput(
      `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} in ${folder} already, and nothing is overwritten: ` +
        'choose another name, or move them away',
    );
  }
  for (const { path, text } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  }
}

/** A link that leads nowhere is there too. */
async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
