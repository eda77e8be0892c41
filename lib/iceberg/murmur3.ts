/**
 * Murmur3, x86 variant, 32 bits, seed 0, as a signed int.
 * Source: Austin Appleby, MurmurHash3_x86_32; https://iceberg.apache.org/spec/#appendix-b-32-bit-hash-requirements.
 */
export function murmur3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = bytes.length >>> 2;
  let hash = 0;
  for (let block = 0; block < blocks; block += 1) {
    hash ^= scramble(view.getInt32(block * 4, true));
    hash = (Math.imul(rotateLeft(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocks * 4; at -= 1) tail = (tail << 8) | (bytes[at] ?? 0);
  return finish(hash ^ scramble(tail) ^ bytes.length);
}

function scramble(value: number): number {
  return Math.imul(rotateLeft(Math.imul(value, 0xcc9e2d51), 15), 0x1b873593);
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function finish(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
