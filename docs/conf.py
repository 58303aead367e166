"""Sphinx: the documentation is Markdown (MyST), the reference comes from the docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest._version import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "firebase_rest"
copyright = "firebase_rest contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"firebase_rest {__version__}"

default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are documented in the docstring of the class and by properties
napoleon_use_rtype = False

_CONSTRUCTED = {
    "firebase_rest.ActionCodeSettings",
    "firebase_rest.AuthUri",
    "firebase_rest.FileStore",
    "firebase_rest.ImportUserRecord",
    "firebase_rest.KeyringStore",
    "firebase_rest.ProviderInfo",
    "firebase_rest.emulator.Clock",
    "firebase_rest.emulator.Emulator",
    "firebase_rest.errors.MfaFactor",
    "firebase_rest.testing.FirebaseEnvironment",
}
"""The classes that programs construct. Methods return the objects of all other classes."""


def _hide_constructor(
    _app: object, what: str, name: str, _object: object, _options: object, signature: str | None, _returns: object
) -> tuple[str, str] | None:
    """Hide the constructor of a class that programs do not construct."""
    is_hidden = what in ("class", "exception") and name not in _CONSTRUCTED
    return ("", "") if is_hidden and signature is not None else None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", _hide_constructor)
