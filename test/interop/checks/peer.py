"""Answers requests, one JSON value on a line each, until the input ends."""

import json
import sys
import traceback
from collections.abc import Callable


def answer_all(answer: Callable[[dict], dict | None]) -> None:
    for line in sys.stdin:
        try:
            said = answer(json.loads(line)) or {}
        except Exception:
            said = {"error": traceback.format_exc()}
        print(f"@@{json.dumps(said)}", flush=True)
