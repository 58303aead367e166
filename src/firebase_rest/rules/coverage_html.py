"""The coverage of rules as a web page: the text of the rules, with a color for each condition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from firebase_rest.rules.coverage import Condition, Coverage, format_percent

_STYLE = """
body { font: 14px/1.6 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
pre { font: 13px/1.6 ui-monospace, monospace; border: 1px solid #ddd; padding: 1rem; overflow: auto; }
span.full { background: #d8f5d8; } span.partial { background: #fff1b8; } span.never { background: #ffd6d6; }
"""
_LEGEND = (
    '<p><span class="full">true and false</span> <span class="partial">only one of them</span> '
    '<span class="never">never evaluated</span>. Point at an expression to see its counts.</p>'
)


def html_report(coverages: Iterable[Coverage]) -> str:
    """Return a complete web page."""
    coverages = list(coverages)
    parts = [_section(coverage) for coverage in coverages]
    body = "".join(parts) or "<p>No rules were evaluated.</p>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Coverage of security rules</title>'
        f"<style>{_STYLE}</style></head><body><h1>Coverage of security rules</h1>{_LEGEND}{body}</body></html>\n"
    )


def _section(coverage: Coverage) -> str:
    title = f"{escape(coverage.name)}: {format_percent([coverage])}"
    return f"<h2>{title}</h2><pre>{_highlight(coverage.text, coverage.conditions())}</pre>"


def _highlight(text: str, conditions: Sequence[Condition]) -> str:
    """Return the text with a `span` for each condition. Conditions may be nested, and are sorted by their start."""
    parts: list[str] = []
    open_ends: list[int] = []
    position = 0

    def append_text(end: int) -> None:
        nonlocal position
        parts.append(escape(text[position:end]))
        position = end

    def close_span() -> None:
        append_text(open_ends.pop())
        parts.append("</span>")

    for condition in conditions:
        while open_ends and open_ends[-1] <= condition.start:
            close_span()
        append_text(condition.start)
        count = condition.count
        title = f"true {count.true}, false {count.false}, errors {count.errors}"
        parts.append(f'<span class="{_css_class(condition)}" title="{title}">')
        open_ends.append(condition.end)
    while open_ends:
        close_span()
    append_text(len(text))
    return "".join(parts)


def _css_class(condition: Condition) -> str:
    if not condition.missing:
        return "full"
    return "partial" if condition.covered else "never"
