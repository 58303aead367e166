"""The first page."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def show() -> str:
    """Show what the application offers."""
    return render_template("home.html")
