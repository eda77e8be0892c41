/** Pages show numbers as the command line does. */
export { formatBytes, formatCount, formatDuration, formatQuantity, formatUsd } from '../../report/human.ts';
