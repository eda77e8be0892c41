import type { z } from 'zod';
import { InvalidInput, type Problem } from '../core/errors.ts';
import {
  isCallback,
  type Scope,
  type State,
  type StateMachineDefinition,
  stateMachine,
  type TaskState,
} from './definition.ts';

/**
 * Reads a state machine: JSON, then the supported subset, then names and transitions. Placeholders (`${Name}`) are
 * plain text here. `file` is for messages. Throws InvalidInput with every problem found, by state and field.
 */
export function loadStateMachine(text: string, file: string): StateMachineDefinition {
  const document = parseJson(text, file);
  const parsed = stateMachine.safeParse(document);
  if (!parsed.success) {
    throw refused(
      file,
      parsed.error.issues.map((issue) => problemOf(file, document, issue)),
    );
  }
  const problems = [
    ...problemsOfScope(file, 'States', parsed.data),
    ...Object.entries(parsed.data.States).flatMap(([name, state]) =>
      state.Type === 'Map' ? problemsOfScope(file, `States.${name}.ItemProcessor.States`, state.ItemProcessor) : [],
    ),
    ...repeatedNames(file, parsed.data),
  ];
  if (problems.length > 0) throw refused(file, problems);
  return parsed.data;
}

/** The function that a Task calls, as the definition names it. */
export function functionOf({ Resource, Parameters }: TaskState): string {
  return isCallback(Resource) ? String(Parameters?.['FunctionName']) : Resource;
}

/** Every state a state may go to next, with the field that says so. */
export function transitionsOf(state: State): readonly { readonly field: string; readonly target: string }[] {
  const found: { field: string; target: string }[] = [];
  if ('Next' in state && state.Next !== undefined) found.push({ field: 'Next', target: state.Next });
  if ('Catch' in state) {
    for (const [at, { Next }] of (state.Catch ?? []).entries())
      found.push({ field: `Catch[${at}].Next`, target: Next });
  }
  if (state.Type === 'Choice') {
    for (const [at, { Next }] of state.Choices.entries()) found.push({ field: `Choices[${at}].Next`, target: Next });
    found.push({ field: 'Default', target: state.Default });
  }
  return found;
}

function refused(file: string, problems: readonly Problem[]): InvalidInput {
  return new InvalidInput(`${file} is not a state machine that Strata can run`, problems);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidInput(`${file} is not JSON: ${reason}`, [], { cause });
  }
}

function problemOf(file: string, document: unknown, issue: z.core.$ZodIssue): Problem {
  const place = placeOf(issue.path);
  const got = shown(valueAt(document, issue.path));
  switch (issue.code) {
    case 'unrecognized_keys':
      return {
        file,
        place,
        got: issue.keys.join(', '),
        expected: 'no such field: Strata cannot run it on one machine',
      };
    case 'invalid_union':
      return { file, place, got, expected: 'Task, Pass, Choice, Wait, Succeed, Fail or (not inside a map) Map' };
    case 'invalid_value':
      return { file, place, got, expected: issue.values.map(shown).join(' or ') };
    case 'invalid_type':
      return { file, place, got, expected: issue.expected };
    default:
      return { file, place, got, expected: issue.message };
  }
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | null)?.[part], document);
}

/** `States.Open.Retry[0].ErrorEquals` */
function placeOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? 'the document' : text.replace(/^\./, '');
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function problemsOfScope(file: string, place: string, scope: Scope): readonly Problem[] {
  const names = Object.keys(scope.States);
  const known = `one of ${names.join(', ')}`;
  const problems: Problem[] = [];
  if (!names.includes(scope.StartAt)) {
    problems.push({ file, place: place.replace(/States$/, 'StartAt'), got: scope.StartAt, expected: known });
  }
  for (const [name, state] of Object.entries(scope.States)) {
    const at = `${place}.${name}`;
    problems.push(...problemsOfState(file, at, name, state));
    for (const { field, target } of transitionsOf(state)) {
      if (!names.includes(target)) problems.push({ file, place: `${at}.${field}`, got: target, expected: known });
    }
  }
  // With a transition into nothing, what lies behind it would be reported as well.
  if (problems.length > 0) return problems;
  const reached = reachable(scope);
  for (const name of names.filter((other) => !reached.has(other))) {
    problems.push({
      file,
      place: `${place}.${name}`,
      got: 'no way to this state',
      expected: 'a transition from another',
    });
  }
  return problems;
}

function problemsOfState(file: string, place: string, name: string, state: State): readonly Problem[] {
  const problems: Problem[] = [];
  if (name.length > 80)
    problems.push({ file, place, got: `${name.length} characters`, expected: 'a name of at most 80' });
  if (state.Type === 'Task' || state.Type === 'Pass' || state.Type === 'Wait' || state.Type === 'Map') {
    if ((state.Next === undefined) === (state.End === undefined)) {
      problems.push({
        file,
        place,
        got: state.Next === undefined ? 'neither' : 'both',
        expected: 'either Next or End',
      });
    }
  }
  return problems;
}

function reachable(scope: Scope): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [scope.StartAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = scope.States[name];
    if (state === undefined || reached.has(name)) continue;
    reached.add(name);
    open.push(...transitionsOf(state).map(({ target }) => target));
  }
  return reached;
}

/** Handlers and timings go by state name, so a name stands for one state of the whole machine. */
function repeatedNames(file: string, machine: StateMachineDefinition): readonly Problem[] {
  const seen = new Set(Object.keys(machine.States));
  return Object.entries(machine.States).flatMap(([map, state]) => {
    if (state.Type !== 'Map') return [];
    return Object.keys(state.ItemProcessor.States).flatMap((name) => {
      if (!seen.has(name)) {
        seen.add(name);
        return [];
      }
      const place = `States.${map}.ItemProcessor.States.${name}`;
      return [{ file, place, got: 'a name in use', expected: 'a name of its own in the whole machine' }];
    });
  });
}
