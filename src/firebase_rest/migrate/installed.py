"""What is installed: distributions beside this one that own the folder `pyrebase`, and what they took along."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from firebase_rest.migrate.findings import Finding

CURE = "pip uninstall pyrebase pyrebase4, then pip install --force-reinstall firebase-rest"
"""What gets a working `pyrebase` back when two distributions have written it."""

SENTENCE = (
    "{name} {version} is installed beside firebase-rest; both own the folder `pyrebase`, and whichever was installed "
    "last won."
)
DAMAGED = (
    "{name} is missing, which firebase-rest had installed: another owner of the folder `pyrebase` was uninstalled."
)


def coexisting() -> list[Finding]:
    """A finding for each other distribution with a top-level package `pyrebase`, else for what one took along."""
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
    return list(found.values()) or _damaged()


def _damaged() -> list[Finding]:
    """A finding for the first file of our own `pyrebase` that is gone."""
    try:
        files = distribution("firebase-rest").files or ()
    except PackageNotFoundError:
        return []
    for file in files:  # an editable installation lists none of these
        place = Path(file.locate())
        if file.parts[0] == "pyrebase" and file.suffix == ".py" and not place.exists():
            message = DAMAGED.format(name=file.as_posix())
            return [Finding(str(place), 1, 1, "damaged-distribution", message, CURE)]
    return []
