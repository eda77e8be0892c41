import type { Command } from 'commander';

/** What may stand behind a command: its words, and the names of pipelines where its first argument is one. */
export type Completed = {
  /** `''` for strata itself, `quarantine show` for a command of two words. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
  readonly takesPipeline: boolean;
};

export type Word = { readonly text: string; readonly about: string };

/** Every command of a program, with what may follow it. Options of strata itself may follow every one. */
export function completedBy(program: Command): readonly Completed[] {
  const everywhere = optionsOf(program);
  const of = (command: Command, path: string): readonly Completed[] => {
    const below = command.commands.map((one) => ({ one, inner: path === '' ? one.name() : `${path} ${one.name()}` }));
    const own = command === program ? [] : optionsOf(command);
    return [
      {
        path,
        commands: command.commands.map((one) => ({ text: one.name(), about: one.description() })),
        options: [...own, ...everywhere],
        takesPipeline: command.registeredArguments[0]?.name() === 'pipeline',
      },
      ...below.flatMap(({ one, inner }) => of(one, inner)),
    ];
  };
  return of(program, '');
}

function optionsOf(command: Command): readonly Word[] {
  return command.options.flatMap(({ long, hidden, description }) =>
    hidden || long === undefined || long === null ? [] : [{ text: long, about: description }],
  );
}
