import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Question } from './apart.ts';
import { openLaboratory } from './laboratory.ts';

// What openApart starts: questions come one at a time, and null at the end.
const laboratory = await openLaboratory(undefined, workerData);

parentPort?.on('message', async (question: Question | null) => {
  if (question === null) {
    await laboratory[Symbol.asyncDispose]();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(await answer(question));
});

async function answer(question: Question): Promise<Answer> {
  try {
    return { searched: await laboratory.search(...question) };
  } catch (error) {
    return { error: inspect(error) };
  }
}
