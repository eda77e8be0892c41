/** The most memory that this process has had, in bytes, its engine included. */
export function peakMemory(): number {
  // Kilobytes. Source: nodejs.org/api/process.html#processresourceusage
  return process.resourceUsage().maxRSS * 1_024;
}
