"""Other installed distributions that own the folder `pyrebase`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from firebase_rest.migrate.installed import REPAIR


def report_with(folder, *distributions: str) -> list[dict[str, object]]:
    """Return the findings where these distributions ("Name-1.0") with a folder pyrebase are installed as well."""
    site = folder / "site"
    for distribution in distributions:
        name, _, version = distribution.partition("-")
        metadata = site / f"{distribution}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (metadata / "top_level.txt").write_text("pyrebase\n")
        (metadata / "RECORD").write_text("pyrebase/__init__.py,,\npyrebase/pyrebase.py,,\n")
    program = folder / "program"
    program.mkdir()
    command = [sys.executable, "-m", "firebase_rest.migrate", "--json", str(program)]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert ran.returncode == (1 if distributions else 0), ran.stderr
    return json.loads(ran.stdout)["findings"]


@pytest.mark.parametrize("distribution", ["Pyrebase4-4.9.0", "Pyrebase-3.0.27", "pyrebase_fork-1.0"])
def test_other_owner_is_reported_with_version_and_repair(tmp_path, distribution) -> None:
    [finding] = report_with(tmp_path, distribution)
    assert finding["code"] == "coexisting-distribution"
    name, _, version = distribution.partition("-")
    assert str(finding["message"]).startswith(f"{name} {version} is installed beside firebase-rest.")
    assert finding["suggestion"] == REPAIR
    assert str(finding["path"]).endswith("pyrebase")


def test_two_other_owners_are_two_findings(tmp_path) -> None:
    assert len(report_with(tmp_path, "Pyrebase-3.0.27", "Pyrebase4-4.9.0")) == 2


def test_missing_file_of_the_drop_in_is_reported_with_repair(tmp_path) -> None:
    report = report_with(tmp_path, "firebase_rest-1.0")
    assert [(finding["code"], finding["suggestion"]) for finding in report] == [("damaged-distribution", REPAIR)]
    assert str(report[0]["message"]).startswith("pyrebase/__init__.py of firebase-rest is missing")


def test_firebase_rest_alone_is_not_reported(tmp_path) -> None:
    assert report_with(tmp_path) == []
