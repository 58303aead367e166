"""The guide `docs/how-to/deploy.md` and gunicorn's settings agree with the application."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

from app.conftest import APP
from support.google import key_file

GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")


def test_settings_of_the_guide_are_read(firebase, tmp_path, monkeypatch) -> None:
    from webapp import create_app

    documented = dict(re.findall(r"^export FLASK_(\w+)=(.+)$", GUIDE, re.MULTILINE))
    assert len(documented) == 5
    monkeypatch.setenv("FIREBASE_CONFIG", json.dumps(firebase.server.config))
    values = {**documented, "STORE": str(tmp_path / "store.sqlite"), "SECRET_KEY": "secret"}
    values["TRUSTED_HOSTS"] = values["TRUSTED_HOSTS"].strip("'")
    del values["FIREBASE_CREDENTIALS"]  # the file exists on the server only
    for name, value in values.items():
        monkeypatch.setenv(f"FLASK_{name}", value)
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST")
    app = create_app()
    client = app.test_client()
    assert client.get("/", base_url="https://other.example").status_code == 400
    forwarded = {"X-Forwarded-Host": "example.com", "X-Forwarded-Proto": "https"}
    response = client.get("/", headers=forwarded)
    assert response.status_code == 200
    assert "Strict-Transport-Security" in response.headers


def test_service_account_of_the_guide_is_used(firebase, tmp_path) -> None:
    from webapp import create_app

    key = tmp_path / "service-account.json"
    content = key_file("https://oauth2.googleapis.com/token")
    key.write_text(json.dumps(content))
    config = {"FIREBASE": firebase.server.config, "STORE": tmp_path / "s", "FIREBASE_CREDENTIALS": str(key)}
    services = create_app(config).extensions["webapp"]
    assert services.server.credentials.service_account_email == content["client_email"]
    assert services.users.credentials is None  # requests of users never run with its rights


def test_addresses_of_the_guide_exist(app) -> None:
    paths = {rule.rule for rule in app.url_map.iter_rules()}
    assert set(re.findall(r"https://example\.com(/[\w/-]+)", GUIDE)) <= paths


def test_threads_of_a_worker_are_more_than_its_streams() -> None:
    from webapp.live_board import MAX_VISITORS

    settings = runpy.run_path(str(APP / "gunicorn.conf.py"))
    assert settings["threads"] == 220
    assert settings["threads"] - MAX_VISITORS == 20
    assert settings["preload_app"]
    assert f"**{settings['threads']} threads for each worker**" in GUIDE


def test_rules_are_where_the_firebase_cli_looks() -> None:
    files = json.loads((APP / "firebase.json").read_text(encoding="utf-8"))
    assert all((APP / part["rules"]).is_file() for part in files.values())
