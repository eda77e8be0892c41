import type { AskAws, AwsQuestion } from '../../core/aws-question.ts';
import { Unavailable } from '../../core/errors.ts';
import type { FunctionVersion } from './superfluous.ts';

/** The published versions of functions. */
export type Published = {
  /** undefined: there is no such function. */
  versions(name: string): Promise<readonly FunctionVersion[] | undefined>;
  /** false: something else still names it, such as an alias of somebody's own. */
  remove(version: FunctionVersion): Promise<boolean>;
};

const FUNCTIONS = '/2015-03-31/functions';
/** Lambda takes few calls a second of those that change functions. */
const PATIENCE = 20;

/** Source: docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html, API_DeleteFunction.html */
export function publishedOn(ask: AskAws, wait: (ms: number) => Promise<unknown>): Published {
  const patiently = async (question: AwsQuestion): Promise<string | undefined> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await ask(question)).text;
      } catch (cause) {
        if (isOf(cause, 'ResourceNotFoundException')) return undefined;
        if (!(cause instanceof Unavailable) || attempt === PATIENCE) throw cause;
        await wait(attempt * 500);
      }
    }
  };
  return {
    async versions(name) {
      const found: FunctionVersion[] = [];
      let marker: string | null | undefined = '';
      do {
        const from: string = marker === '' ? '' : `&Marker=${encodeURIComponent(marker)}`;
        const path = `${FUNCTIONS}/${name}/versions?MaxItems=50${from}`;
        const action = 'lambda:ListVersionsByFunction';
        const text = await patiently({ service: 'lambda', action, kind: 'get', path });
        if (text === undefined) return undefined;
        const page = JSON.parse(text) as Page;
        for (const { Version, CodeSize, LastModified } of page.Versions ?? []) {
          if (Version === '$LATEST') continue;
          const publishedAt = new Date(LastModified);
          found.push({ function: name, version: Number(Version), bytes: CodeSize, publishedAt });
        }
        marker = page.NextMarker;
      } while (typeof marker === 'string' && marker !== '');
      return found;
    },

    async remove({ function: name, version }) {
      const path = `${FUNCTIONS}/${name}?Qualifier=${version}`;
      try {
        await patiently({ service: 'lambda', action: 'lambda:DeleteFunction', kind: 'delete', path });
        return true;
      } catch (cause) {
        if (isOf(cause, 'ResourceConflictException')) return false;
        throw cause;
      }
    },
  };
}

type Page = {
  readonly Versions?: readonly { readonly Version: string; readonly CodeSize: number; readonly LastModified: string }[];
  readonly NextMarker?: string | null;
};

/** Lambda names the kind of an error in a header and in the words of its answer. */
function isOf(cause: unknown, kind: string): boolean {
  return cause instanceof Error && cause.message.includes(kind);
}
