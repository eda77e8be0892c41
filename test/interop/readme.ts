import { blocksOf } from '../docs/blocks.ts';
import { openProject } from '../docs/project.ts';
import { exitCode } from './environments.ts';

const PAGE = 'README.md';

/** Makes the lake of the README, and lets PyIceberg read it as the README says. Answers Python's exit code. */
export async function checkReadme(python: string): Promise<number> {
  const blocks = blocksOf(PAGE);
  const project = openProject('README');
  try {
    for (const { options, text } of blocks) if (options['file'] !== undefined) project.write(options['file'], text);
    const commands = blocks.find(({ text }) => text.startsWith('npx strata land '));
    const reader = blocks.find(({ language, options }) => language === 'python' && options['by'] === 'test:interop');
    if (commands === undefined || reader === undefined) throw new Error(`${PAGE} says no more how a lake is read`);
    await project.run(commands.text);
    const script = reader.text.replace('/absolute/path/to', project.folder).replace('print(', 'rows = (');
    const check = `${script}assert rows.to_pylist() == [{"country": "AT", "revenue": __import__("decimal").Decimal("19.90"), "orders": 1}], rows\n`;
    return await exitCode(python, ['-c', check]);
  } finally {
    project.close();
  }
}
