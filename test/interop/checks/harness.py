"""Named checks: each one passes or says what differs, and none stops the others."""

import sys
import traceback
from contextlib import contextmanager


class Difference(AssertionError):
    """What a reader found is not what the data says."""


class Report:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    @contextmanager
    def check(self, name: str):
        try:
            yield
        except Exception as error:  # A crash of the reader is a failed check like any other.
            self.failed += 1
            detail = str(error) if isinstance(error, Difference) else traceback.format_exc()
            print(f"FAILED {name}: {detail}", flush=True)
        else:
            self.passed += 1
            if "--verbose" in sys.argv:
                print(f"ok     {name}", flush=True)

    def finish(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed > 0 or self.passed == 0 else 0


def same(got, expected, what: str) -> None:
    """Fails unless equal; equal means equal values of equal types of Python."""
    if got != expected:
        raise Difference(f"{what}: got {brief(got)}; expected {brief(expected)}")


def holds(condition: bool, what: str) -> None:
    if not condition:
        raise Difference(what)


def brief(value) -> str:
    text = repr(value)
    return text if len(text) <= 2000 else f"{text[:2000]}..."
