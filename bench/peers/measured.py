"""Runs a script and writes what it took: python measured.py <script> <arguments>, with STRATA_BENCH_USAGE as record-usage.ts has it."""

import json
import os
import resource
import runpy
import sys

sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")

own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, below))
peak = max(own.ru_maxrss, below.ru_maxrss) * 1024
with open(os.environ["STRATA_BENCH_USAGE"], "w") as file:
    json.dump({"cpuMs": cpu * 1000, "peakBytes": peak}, file)
