"""Check the installation: other distributions with the folder `pyrebase`, and files that their removal deleted."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from firebase_rest.migrate.findings import Finding

REPAIR = "pip uninstall pyrebase pyrebase4, then pip install --force-reinstall firebase-rest"


def check_installed() -> list[Finding]:
    """Report each other distribution with the package `pyrebase`, and otherwise a missing file of firebase-rest."""
    owners = {*packages_distributions().get("pyrebase", ()), "pyrebase", "pyrebase4"}
    findings = dict[str, Finding]()
    for name in sorted(owners, key=str.lower):
        if name.lower().replace("_", "-") == "firebase-rest":
            continue
        try:
            other = distribution(name)
        except PackageNotFoundError:
            continue
        message = (
            f"{other.name} {other.version} is installed beside firebase-rest. Both own the folder `pyrebase`, "
            "and the one installed last is imported."
        )
        path = str(other.locate_file("pyrebase"))
        findings.setdefault(name.lower(), Finding(path, 1, 1, "coexisting-distribution", message, REPAIR))
    return list(findings.values()) or _check_own_files()


def _check_own_files() -> list[Finding]:
    """Report the first missing file of firebase-rest's package `pyrebase`."""
    try:
        files = distribution("firebase-rest").files or ()
    except PackageNotFoundError:
        return []
    for file in files:  # an editable installation lists none of these
        path = Path(file.locate())
        if file.parts[0] == "pyrebase" and file.suffix == ".py" and not path.exists():
            message = f"{file.as_posix()} of firebase-rest is missing: uninstalling another distribution removed it."
            return [Finding(str(path), 1, 1, "damaged-distribution", message, REPAIR)]
    return []
