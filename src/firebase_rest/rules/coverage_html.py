"""The coverage of rules as a web page: the source, with each condition in the colour of its outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from firebase_rest.rules.coverage import Condition, Coverage, percent

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
    title = f"{escape(coverage.name)}: {percent([coverage]):.0f} %"
    return f"<h2>{title}</h2><pre>{_marked(coverage.text, coverage.conditions())}</pre>"


def _marked(text: str, conditions: Sequence[Condition]) -> str:
    """Return the text with a `span` for each condition. Conditions nest, and are in the order of their starts."""
    parts: list[str] = []
    ends: list[int] = []
    at = 0

    def copy_until(offset: int) -> None:
        nonlocal at
        parts.append(escape(text[at:offset]))
        at = offset

    for condition in conditions:
        while ends and ends[-1] <= condition.start:
            copy_until(ends.pop())
            parts.append("</span>")
        copy_until(condition.start)
        count = condition.count
        kind = "full" if not condition.missing else "partial" if condition.covered else "never"
        title = f"true {count.true}, false {count.false}, errors {count.errors}"
        parts.append(f'<span class="{kind}" title="{title}">')
        ends.append(condition.end)
    while ends:
        copy_until(ends.pop())
        parts.append("</span>")
    copy_until(len(text))
    return "".join(parts)
