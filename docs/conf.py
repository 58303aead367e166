"""Sphinx: the documentation is Markdown (MyST), the reference comes from the docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest._version import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "firebase_rest"
copyright = "firebase_rest contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"firebase_rest {__version__}"

default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}


def _hide_constructor(_app: object, what: str, name: str, *_: object) -> tuple[str, None] | None:
    """Hide constructors, because programs get these objects from an `App`; only `Emulator` is constructed directly."""
    return ("", None) if what == "class" and name != "firebase_rest.emulator.Emulator" else None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", _hide_constructor)
