"""Run functions in forked child processes."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

SECONDS = 15


class Child:
    """A forked process that runs `work`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            faulthandler.register(signal.SIGALRM, chain=True)  # a hanging child prints its stack and ends
            signal.alarm(SECONDS)
            os.close(read)
            try:
                result = {"result": work()}
            except BaseException as error:  # noqa: BLE001 - raised again in the parent
                traceback.print_exc()
                result = {"error": repr(error)}
            os.write(write, json.dumps(result).encode())
            sys.stderr.flush()
            os._exit(0)
        os.close(write)
        self._pipe = os.fdopen(read, "rb")

    def result(self) -> Any:
        """Return the result of `work`."""
        with self._pipe as pipe:
            text = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        if not text:
            raise AssertionError(f"the child ended with status {status} (14: it hung)")
        outcome = json.loads(text)
        if "error" in outcome:
            raise AssertionError(outcome["error"])
        return outcome["result"]


def in_child(work: Callable[[], Any]) -> Any:
    """Return the result of `work` in a forked process."""
    return Child(work).result()


def in_children(works: list[Callable[[], Any]]) -> list[Any]:
    """Return the results of all, run at the same time."""
    return [child.result() for child in [Child(work) for work in works]]
