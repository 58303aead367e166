"""Sphinx: the documentation is Markdown (MyST), the reference comes from the docstrings."""

from __future__ import annotations

from firebase_rest._version import __version__

project = "firebase_rest"
copyright = "firebase_rest contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"firebase_rest {__version__}"

default_role = "code"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "inherited-members": False, "show-inheritance": True}
autoclass_content = "class"
