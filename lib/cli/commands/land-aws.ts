import type { LandRequest } from '../../runtime/land-files.ts';
import { openLanding, type RemotePlace } from '../../runtime/remote-lake.ts';
import type { Context } from '../context.ts';
import { landInto } from './land.ts';

/** Uploads files into the bronze bucket of a deployed lake, after the checks of `land`. */
export async function landOnAws(context: Context, request: LandRequest, place: RemotePlace): Promise<number> {
  const opened: Awaited<ReturnType<typeof openLanding>>[] = [];
  try {
    return await landInto(context, request, {
      open: async () => {
        const landing = await openLanding(place);
        opened.push(landing);
        return landing.deps;
      },
      next: [
        'the upload starts a run by itself; to start one now, or to wait for it:',
        `  ${context.at(place).hint(`run ${request.pipeline}`)}`,
      ],
    });
  } finally {
    for (const landing of opened) await landing.close();
  }
}
