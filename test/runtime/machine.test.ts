import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootId, readMachine, workMemory } from '../../lib/runtime/machine.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const OS = { availableBytes: 64 * GIB, processors: 8 };
const MEMINFO = `MemTotal:       33554432 kB\nMemFree:         1048576 kB\nMemAvailable:   16777216 kB\n`;

type Case = {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly available: number;
  readonly processors?: number;
};

const CASES: readonly Case[] = [
  { name: 'no system files at all', files: {}, available: 64 * GIB },
  { name: 'a machine without limits', files: { '/proc/meminfo': MEMINFO }, available: 16 * GIB },
  {
    name: 'version 2, a container that sees its own root',
    files: {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': `${GIB}\n`,
      '/sys/fs/cgroup/memory.high': 'max\n',
      '/sys/fs/cgroup/memory.current': `${700 * MIB}\n`,
      '/sys/fs/cgroup/memory.stat': `anon 1\nfile ${400 * MIB}\ninactive_file ${300 * MIB}\n`,
      '/sys/fs/cgroup/cpu.max': '150000 100000\n',
    },
    available: 624 * MIB,
    processors: 1.5,
  },
  {
    name: 'version 2, the limit of a group above, and one that only slows',
    files: {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '0::/user.slice/app.scope\n',
      '/sys/fs/cgroup/user.slice/app.scope/memory.max': 'max\n',
      '/sys/fs/cgroup/user.slice/app.scope/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/user.slice/memory.max': `${4 * GIB}\n`,
      '/sys/fs/cgroup/user.slice/memory.high': `${2 * GIB}\n`,
      '/sys/fs/cgroup/user.slice/memory.current': `${GIB}\n`,
    },
    available: GIB,
  },
  {
    name: 'version 1, limits and quota in files of their own',
    files: {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '9:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n',
      '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${512 * MIB}\n`,
      '/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes': `${200 * MIB}\n`,
      '/sys/fs/cgroup/memory/docker/abc/memory.stat': `cache 1\ntotal_inactive_file ${100 * MIB}\n`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    available: 412 * MIB,
    processors: 2,
  },
  {
    name: 'a group that has more than its limit',
    files: {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': '1000\n',
      '/sys/fs/cgroup/memory.current': '2000\n',
    },
    available: 0,
  },
];

for (const { name, files, available, processors = 8 } of CASES) {
  test(name, () => {
    assert.deepEqual(
      readMachine((path) => files[path], OS),
      { availableBytes: available, processors },
    );
  });
}

test('this machine has memory and a processor', () => {
  const { availableBytes, processors } = readMachine();
  assert.ok(availableBytes > 0 && processors >= 1);
});

test('a boot is told by its id where there is one', () => {
  assert.equal(
    bootId((path) => (path.endsWith('boot_id') ? 'b-1\n' : undefined)),
    'b-1',
  );
  assert.equal(
    bootId(() => undefined),
    '',
  );
});

test('units are worked on at once by as many threads as there are, and one at a time where statements are profiled', () => {
  const atOnce = (asked: Parameters<typeof workMemory>[0]): number => workMemory(asked).unitsAtOnce;
  assert.deepEqual([atOnce({ threads: 2 }), atOnce({ threads: 8 }), atOnce({ threads: 2, profile: true })], [2, 3, 1]);
});
