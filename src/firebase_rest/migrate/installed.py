"""Distributions beside this one that own the folder `pyrebase`, or forks that stand in for it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

from firebase_rest.migrate.findings import Finding

CURE = "pip uninstall pyrebase pyrebase4, then pip install --force-reinstall firebase-rest"
"""What gets a working `pyrebase` back when two distributions have written it."""

SENTENCE = (
    "{name} {version} is installed beside firebase-rest; both own the folder `pyrebase`, and whichever was installed "
    "last won."
)


def coexisting() -> list[Finding]:
    """A finding for each other distribution with a top-level package `pyrebase`."""
    owners = {*packages_distributions().get("pyrebase", ()), "pyrebase", "pyrebase4"}
    found = dict[str, Finding]()
    for name in sorted(owners, key=str.lower):
        if name.lower().replace("_", "-") == "firebase-rest":
            continue
        try:
            other = distribution(name)
        except PackageNotFoundError:
            continue
        path = str(other.locate_file("pyrebase"))
        message = SENTENCE.format(name=other.name, version=other.version)
        found.setdefault(name.lower(), Finding(path, 1, 1, "coexisting-distribution", message, CURE))
    return list(found.values())
