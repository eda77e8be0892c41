/** For commands, which know runs by the runtime alone. */
export { keepProfile } from '../../lake/ops/profiles.ts';
