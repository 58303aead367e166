"""Sphinx: the documentation is Markdown (MyST), the reference comes from the docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pydoc import locate
from typing import TYPE_CHECKING

from docutils import nodes

import firebase_rest

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "firebase_rest"
copyright = "firebase_rest contributors"
version = release = firebase_rest.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"firebase_rest {version}"

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
    "firebase_rest.transport.wire.Request",
}
"""The classes that programs construct. Methods return the objects of all other classes."""

_INTERNAL = {
    "AuthUri": {"from_uri", "check_callback"},
    "Clock": {"on_change"},
    "Emulator": {"database_work", "dispatch", "must_wait", "route"},
    "Coverage": {"observer"},
    "EventStream": {"reset_after_fork", "start_task", "is_large"},
    "Faults": {"planned_response", "for_request"},
    "FirebaseTestCase": {"setUp"},
    "ImportUserRecord": {"to_json"},
    "LiveQuery": {"reset_after_fork", "wait_for_first"},
    "ObjectStream": {"open"},
    "ProviderInfo": {"from_json", "to_json"},
    "RequestFaults": {"next_for"},
    "Rule": {"expression", "source", "evaluate", "compile"},
    "Snapshot": {"lazy", "from_pairs", "from_export"},
    "StorageFaults": {"next_for"},
    "TotpSecret": {"from_json"},
    "Upload": {"run_with"},
    "UserIdentifiers": {"unmatched"},
    "UserImportHash": {"to_json"},
    "UserRecord": {"from_json"},
    "UserSession": {"reset_after_fork"},
}
"""Members that other modules of the library call, by class."""


def _process_signature(
    _app: object, what: str, name: str, _object: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    """Hide the constructor of a class that programs do not construct, and the type of a missing argument."""
    if signature is None:
        return None
    if what in ("class", "exception") and name not in _CONSTRUCTED:
        return "", ""
    return signature.replace(" | Literal[Unset.UNSET] = UNSET", " = ..."), returns


def _skip_member(app: Sphinx, _what: str, name: str, _object: object, _skip: bool, _options: object) -> bool | None:
    """Skip internal members, and fields that the docstring of the class describes."""
    page = app.env.current_document.docname.rpartition("/")[2]
    documented = locate(page)
    if not inspect.isclass(documented):
        return None
    fields = (inspect.getdoc(documented) or "").partition("Attributes:\n")[2]
    is_described = re.search(rf"^ +{re.escape(name)}: ", fields, re.MULTILINE)
    is_internal = name in _INTERNAL.get(documented.__name__.removeprefix("Async"), ())
    return True if is_internal or is_described else None


def _write_plain_index(app: Sphinx, exception: Exception | None) -> None:
    """Write llms.txt: the title, address and first sentence of every page, for programs that read the documentation."""
    if exception is not None or app.builder.format != "html":
        return
    lines = [f"# {project}", "", f"> {_first_sentence(app.env, app.config.root_doc)}", ""]
    for page in _pages(app.env, app.config.root_doc):
        title = app.env.titles[page].astext()
        lines.append(f"- [{title}]({app.builder.get_target_uri(page)}): {_first_sentence(app.env, page)}")
    Path(app.outdir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _pages(env: BuildEnvironment, page: str) -> Iterator[str]:
    """Return the pages below a page, in the order of the table of contents."""
    for child in env.toctree_includes.get(page, ()):
        yield child
        yield from _pages(env, child)


def _first_sentence(env: BuildEnvironment, page: str) -> str:
    paragraphs = (node.astext() for node in env.get_doctree(page).findall(nodes.paragraph))
    text = next((text for text in paragraphs if not text.startswith("Bases:")), "")
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", _write_plain_index)
    app.connect("autodoc-process-signature", _process_signature)
    app.connect("autodoc-skip-member", _skip_member)
