import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * A program that answers requests, one JSON value on a line each, until its input ends. What it prints beside answers, which
 * begin with ANSWER, is passed on.
 */
const ANSWER = '@@';

type Answer = { readonly error?: string; readonly [name: string]: unknown };

export class Peer implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #name: string;

  constructor(file: string, args: readonly string[]) {
    this.#name = args[0] ?? file;
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = answersOf(this.#child.stdout);
  }

  /** Throws with the error that the program names. */
  async ask(request: unknown): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`${this.#name} ended while it was asked ${JSON.stringify(request)}`);
    const answer: Answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(`${this.#name}: ${JSON.stringify(request)}: ${answer.error}`);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined;
    this.#child.stdin.end();
    await ended;
  }
}

async function* answersOf(output: Readable): AsyncGenerator<string, void> {
  for await (const line of createInterface({ input: output })) {
    if (line.startsWith(ANSWER)) yield line.slice(ANSWER.length);
    else console.log(line);
  }
}
