import type { Completed, Word } from './words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that the shell reads once, and that then completes `strata` without starting it. */
export function completionScript(shell: Shell, commands: readonly Completed[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** The folders of pipelines below the one that --pipelines has by default. */
const PIPELINES = 'for f in pipelines/*/pipeline.ts; do [ -e "$f" ] && f="${f%/pipeline.ts}" && echo "${f##*/}"; done';

/**
 * The words of the line that are commands say which one it is; options, their values and arguments are passed by. A word that
 * begins with a dash is completed by options.
 */
function bashScript(commands: readonly Completed[]): string {
  const cases = commands.map(
    ({ path, commands: words, options, takesPipeline }) =>
      `    ${quoted(path)}) words=${quoted(texts(words))} options=${quoted(texts(options))} pipelines=${takesPipeline ? 1 : 0} ;;`,
  );
  return [
    '# Completes strata; put into ~/.bashrc: source <(npx strata completion bash)',
    '_strata() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" path="" tried word words options pipelines i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word="${COMP_WORDS[i]}"',
    '    [[ "$word" == -* ]] && continue',
    '    tried="${path:+$path }$word"',
    `    case "$tried" in ${known(commands)}) path="$tried" ;; esac`,
    '  done',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  if [[ "$current" == -* ]]; then words="$options"; fi',
    `  if [[ "$current" != -* && "$pipelines" == 1 ]]; then words="$words $(${PIPELINES})"; fi`,
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _strata strata',
    '',
  ].join('\n');
}

/** zsh takes what bash has, by its own emulation of it. */
function zshScript(commands: readonly Completed[]): string {
  return [
    '# Completes strata; put into ~/.zshrc: source <(npx strata completion zsh)',
    'autoload -Uz +X compinit && compinit',
    'autoload -Uz +X bashcompinit && bashcompinit',
    bashScript(commands).split('\n').slice(1).join('\n'),
  ].join('\n');
}

function fishScript(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ path, commands: words, options, takesPipeline }) => {
    const here = condition(path, words);
    return [
      ...words.map(
        (word) => `complete -c strata -n ${quoted(here)} -f -a ${quoted(word.text)} -d ${quoted(word.about)}`,
      ),
      ...(path === '' ? options : options.filter((one) => !commands[0]?.options.includes(one))).map(
        ({ text, about }) =>
          `complete -c strata -n ${quoted(seen(path))} -l ${quoted(text.replace(/^--/, ''))} -d ${quoted(about)}`,
      ),
      ...(takesPipeline
        ? [`complete -c strata -n ${quoted(here)} -f -a ${quoted(`(sh -c ${quoted(PIPELINES)})`)}`]
        : []),
    ];
  });
  return ['# Completes strata; put into config.fish: npx strata completion fish | source', ...lines, ''].join('\n');
}

/** Behind all words of a path, and before any word that may follow them. */
function condition(path: string, words: readonly Word[]): string {
  const none = words.length === 0 ? '' : `not __fish_seen_subcommand_from ${words.map(({ text }) => text).join(' ')}`;
  return [path === '' ? '' : seen(path), none].filter(Boolean).join('; and ');
}

function seen(path: string): string {
  if (path === '') return 'true';
  return path
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
}

function known(commands: readonly Completed[]): string {
  return commands
    .filter(({ path }) => path !== '')
    .map(({ path }) => quoted(path))
    .join('|');
}

function texts(words: readonly Word[]): string {
  return words.map(({ text }) => text).join(' ');
}

/** A word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
