"""The report of the coverage of rules at the end of a pytest run.

Workers of pytest-xdist send their coverage to the main process.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firebase_rest.rules.coverage import Coverage, format_percent, percent, text_report
from firebase_rest.rules.coverage_html import html_report
from firebase_rest.testing.environment import close_shared_environment, closed_coverage

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEY = "firebase_rules_coverage"


class CoveragePlugin:
    """Collects the coverage and reports it.

    Args:
        config: The configuration of the test run.
        threshold: The test run fails below this percentage.
        page: The path of the HTML report to write, or None.
    """

    def __init__(self, config: pytest.Config, threshold: float, page: str | None) -> None:
        self._config = config
        self._threshold = threshold
        self._page = page
        self._merged: dict[tuple[str, str], Coverage] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002 - pytest-xdist's signature
        """Add the coverage of a worker of pytest-xdist."""
        for kind, name, text, counts in getattr(node, "workeroutput", {}).get(_KEY, ()):
            self._add(Coverage(kind, name, text), counts)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Merge the coverage of all processes, and fail the run if it is too low."""
        close_shared_environment()
        worker_output = getattr(self._config, "workeroutput", None)
        if worker_output is not None:
            worker_output[_KEY] = [(item.kind, item.name, item.text, item.dump()) for item in closed_coverage]
            return
        for item in closed_coverage:
            self._add(item, item.dump())
        if self._page is not None:
            Path(self._page).write_text(html_report(self._files()), encoding="utf-8")
        if percent(self._files()) < self._threshold and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the report."""
        files = self._files()
        terminalreporter.section("coverage of security rules")
        terminalreporter.write_line(text_report(files) if files else "No rules were loaded.")
        if self._page is not None:
            terminalreporter.write_line(f"Web page: {self._page}")
        if percent(files) < self._threshold:
            terminalreporter.write_line(f"FAIL: {format_percent(files)} is below {self._threshold:g} %.", red=True)

    def _files(self) -> list[Coverage]:
        return sorted(self._merged.values(), key=lambda coverage: coverage.name)

    def _add(self, coverage: Coverage, counts: Iterable[Iterable[int]]) -> None:
        key = (coverage.kind, coverage.text)
        merged = self._merged.setdefault(key, Coverage(coverage.kind, coverage.name, coverage.text))
        merged.merge(counts)
