"""The command `python -m firebase_rest.emulator`, started and stopped as a subprocess."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from emulator.wire import Database
from firebase_rest.emulator import Emulator, __main__
from firebase_rest.emulator.rules_files import RulesFiles
from support.waiting import LIMIT


class Command:
    """A running emulator command. A thread reads its output, so that tests can wait with a limit."""

    def __init__(self, *arguments, code=("-m", "firebase_rest.emulator")):
        self.process = subprocess.Popen(
            [sys.executable, *code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._watchdog = threading.Timer(30, self.process.kill)
        self._watchdog.start()

    def line(self):
        return self.process.stdout.readline()

    def end(self, number=None):
        """Stop it and return the exit status, the remaining output, and the seconds that it took."""
        started = time.monotonic()
        if number is not None:
            self.process.send_signal(number)
        output, errors = self.process.communicate()
        return self.process.returncode, output, errors, time.monotonic() - started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self._watchdog.cancel()


def test_json_option_prints_one_line_when_ready():
    with Command("--port", "0", "--json") as command:
        ready = json.loads(command.line())
        assert ready.keys() == {"ready", "host", "pid"}
        assert (ready["ready"], ready["pid"]) == (True, command.process.pid)
        assert requests.put(f"http://{ready['host']}/a.json", data="1", timeout=LIMIT).json() == 1
        status, output, errors, _ = command.end(signal.SIGTERM)
        assert (status, output, errors) == (0, "", "")


def test_output_is_shell_exports_then_a_ready_line():
    with Command("--project", "demo-x") as command:
        lines = [command.line() for _ in range(7)]
        words = [shlex.split(line, comments=True) for line in lines]
        assert [word[0] for word in words[:5]] == ["export"] * 5
        exports = dict(word[1].split("=", 1) for word in words[:5])
        config = json.loads(exports.pop("FIREBASE_CONFIG"))
        assert config["projectId"] == "demo-x"
        assert exports.keys() == {
            "FIREBASE_AUTH_EMULATOR_HOST",
            "FIREBASE_DATABASE_EMULATOR_HOST",
            "FIREBASE_STORAGE_EMULATOR_HOST",
            "STORAGE_EMULATOR_HOST",
        }
        (host,) = {value.removeprefix("http://") for value in exports.values()}
        assert requests.get(f"http://{host}/.json", timeout=LIMIT).status_code == 200
        assert words[5:] == [[], []], "the last lines must be comments of the shell"
        assert "everyone can read and write everything" in lines[5]
        assert f"ready on {host}" in lines[6]
        assert "Ctrl-C" in lines[6]
        status, output, errors, _ = command.end(signal.SIGINT)
        assert (status, output, errors) == (0, "", "")


def test_output_explains_require_auth(capsys):
    with Emulator(require_auth=True).serve() as server:
        __main__._announce(server, RulesFiles(server.emulator, None, None), as_json=False)
    assert "only requests with a valid token" in capsys.readouterr().out


@pytest.mark.slow
def test_rules_files_are_enforced_and_read_again_when_they_change(tmp_path):
    database, storage = tmp_path / "database.rules.json", tmp_path / "storage.rules"
    database.write_text('{"rules": {".read": false}}')
    storage.write_text("service firebase.storage { match /b/{b}/o { match /{f} { allow get; } } }")
    options = ("--database-rules", str(database), "--storage-rules", str(storage))
    with Command("--project", "demo-x", *options) as command:
        lines = [command.line() for _ in range(7)]
        assert lines[5] == f"# Security rules are enforced: {database} and {storage}.\n"
        host = lines[6].split(" on ")[1].split(". ")[0]
        assert requests.get(f"http://{host}/a.json", timeout=LIMIT).status_code == 401
        assert requests.post(f"http://{host}/v0/b/b/o?name=a", data=b"x", timeout=LIMIT).status_code == 403
        database.write_text('{"rules": {".read": "auth.x"}}')
        assert command.process.stderr.readline() == f"{database}:1:22: The rule must evaluate to a boolean.\n"
        assert command.process.stderr.readline() == "The earlier rules stay in force.\n"
        assert requests.get(f"http://{host}/a.json", timeout=LIMIT).status_code == 401
        database.write_text('{"rules": {".read": true}}')
        assert command.process.stderr.readline() == f"# Loaded {database}.\n"
        assert requests.get(f"http://{host}/a.json", timeout=LIMIT).status_code == 200
        assert command.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize(
    ("database", "storage", "line"),
    [
        ("d", None, "Security rules are enforced: d. Storage has none: everyone can use all files."),
        (None, "s", "Security rules are enforced: s. The database has none: everyone can use all data."),
        (None, None, "There are no security rules: everyone can read and write everything."),
    ],
)
def test_start_prints_one_line_about_access(database, storage, line):
    assert RulesFiles(Emulator(), database, storage).describe(require_auth=False) == line


@pytest.mark.parametrize(
    ("database", "start"), [(None, "Rules that clients"), ("d", "Security rules are enforced: d. Rules that clients")]
)
def test_start_with_a_data_folder_mentions_the_published_rules(database, start):
    line = RulesFiles(Emulator(), database, None).describe(require_auth=False, has_data_folder=True)
    assert line == f"{start} published to the data folder apply; the rest is open to everyone."


def test_invalid_or_missing_rules_file_stops_the_command(tmp_path, capsys):
    path = tmp_path / "rules.json"
    path.write_text('{"rules": {".read": "auth.x"}}')
    assert __main__.main(["--database-rules", str(path)]) == 1
    assert capsys.readouterr().err == f"{path}:1:22: The rule must evaluate to a boolean.\n"
    assert __main__.main(["--storage-rules", str(tmp_path / "missing.rules")]) == 1
    assert "missing.rules" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["it's", "a b", "$HOME", '"', "a\\b", "x\ny", ""])
def test_exported_values_survive_a_shell(value):
    quoted = __main__._shell_quoted(value)
    assert shlex.split(quoted) == [value]
    if Path("/bin/sh").exists():
        command = ["/bin/sh", "-c", f'X={quoted}; printf %s "$X"']
        assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT).stdout == value


@pytest.mark.parametrize(
    ("host", "warns"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("10.1.2.3", True)]
)
def test_warning_if_other_machines_can_connect(monkeypatch, capsys, host, warns):
    serve = Emulator.serve
    monkeypatch.setattr(Emulator, "serve", lambda emulator, *_, **__: serve(emulator))
    monkeypatch.setattr(__main__.signal, "signal", lambda *_: None)
    monkeypatch.setattr(__main__, "_wait_for_end_of_input", lambda done: done.set())
    assert __main__.main(["--json", "--stdin", "--host", host]) == 0
    errors = capsys.readouterr().err
    assert (f"Warning: the emulator listens on {host}," in errors) is warns


@pytest.mark.slow
def test_command_stops_soon_with_100_open_streams():
    with Command("--json") as command:
        host = json.loads(command.line())["host"]
        streams = [Database(host).listen("a") for _ in range(100)]
        for stream in streams:
            assert stream.next() == ("put", "/", None)
        status, _, errors, seconds = command.end(signal.SIGTERM)
        for stream in streams:
            stream.close()
        assert (status, errors) == (0, "")
        assert seconds < 5  # the grace period of half a second, on a busy machine


def test_stdin_option_stops_when_input_is_closed():
    with Command("--json", "--stdin") as command:
        assert json.loads(command.line())["ready"]
        command.process.stdin.write("ignored\n")
        status, _, errors, _ = command.end()  # communicate() closes the input
        assert (status, errors) == (0, "")


def test_command_options_configure_the_emulator():
    with Command(
        "--json", "--project", "demo-y", "--require-auth", "--keep-alive", "0.05", "--host", "127.0.0.1"
    ) as command:
        host = json.loads(command.line())["host"]
        assert requests.get(f"http://{host}/a.json", timeout=LIMIT).status_code == 401
        database = Database(host, access_token="owner")
        database.put("a", 1)
        assert database.get("a", ns="demo-y-default-rtdb").json() == 1
        with database.listen("a") as stream:
            assert stream.next() == ("put", "/", 1)
            assert stream.raw() == b"event: keep-alive\ndata: null"
        database.close()


def test_seed_option_loads_a_console_export_despite_rules(tmp_path):
    export, rules = tmp_path / "export.json", tmp_path / "rules.json"
    export.write_text('{"users": {"ada": {"born": 1815}}, "list": ["a", "b"]}')
    rules.write_text('{"rules": {".read": true, ".write": false}}')
    with Command("--json", "--seed", str(export), "--database-rules", str(rules)) as command:
        host = json.loads(command.line())["host"]
        response = requests.get(f"http://{host}/.json", timeout=LIMIT)
        assert response.json() == {"list": ["a", "b"], "users": {"ada": {"born": 1815}}}


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--seed", "--import"])
def test_data_folder_is_seeded_only_at_the_first_start(tmp_path, option):
    seed, folder = tmp_path / "seed.json", tmp_path / "data"
    options = ("--json", option, str(seed), "--data", str(folder))
    seed.write_text("not JSON")
    with Command(*options) as command:
        assert command.end()[0] == 1
    seed.write_text('{"a": "seed"}')
    with Command(*options) as command:  # the file that could not be loaded has left the folder without data
        url = f"http://{json.loads(command.line())['host']}/a.json"
        assert requests.get(url, timeout=LIMIT).json() == "seed"
        assert requests.put(url, data='"client"', timeout=LIMIT).status_code == 200
    with Command(*options) as command:
        url = f"http://{json.loads(command.line())['host']}/a.json"
        assert requests.get(url, timeout=LIMIT).json() == "client"
        *_, errors, _ = command.end(signal.SIGTERM)
    assert (
        errors == f"Not loaded: {seed}, because the folder {folder} contains data already. "
        "To load again, delete the folder.\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{\n"a": 1,\n}', "it is not valid JSON: Expecting property name enclosed in double quotes: line 3 column 1"),
        ('{"a.b": 1}', "couldn't parse key beginning at 1:2"),
        ("", "it is not valid JSON: Expecting value: line 1 column 1"),
        (None, "No such file"),
    ],
)
def test_unusable_seed_file_stops_the_command(tmp_path, capsys, content, message):
    seed = tmp_path / "seed.json"
    if content is not None:
        seed.write_text(content)
    assert __main__.main(["--seed", str(seed)]) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert str(seed) in errors


def test_busy_port_prints_one_sentence():
    with Emulator().serve() as server, Command("--port", server.host.split(":")[1]) as command:
        status, output, errors, _ = command.end()
        assert (status, output) == (1, "")
        assert errors.startswith("Cannot listen on 127.0.0.1 port")
        assert errors.count("\n") == 1


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "websockets"])
def test_missing_extra_prints_what_to_install(missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from firebase_rest.emulator.__main__ import main\nsys.exit(main([]))"
    )
    with Command(code=("-c", code)) as command:
        status, output, errors, _ = command.end()
        assert (status, output) == (1, "")
        sentence = "The emulator's server needs Starlette, uvicorn and websockets: install them with "
        assert errors == f"{sentence}pip install 'firebase-rest[emulator]'.\n"


def test_in_process_emulator_does_not_import_the_server():
    heavy = {"starlette", "uvicorn", "websockets"}
    code = f"import sys, firebase_rest.emulator as e; e.Emulator(); print({heavy} & set(sys.modules))"
    with Command(code=("-c", code)) as command:
        assert command.line() == "set()\n"


def test_main_serves_until_input_ends(monkeypatch, capsys):
    reading, writing = os.pipe()
    with os.fdopen(reading) as inlet:
        monkeypatch.setattr(sys, "stdin", inlet)
        os.close(writing)
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            assert __main__.main(["--json", "--stdin"]) == 0
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    assert json.loads(capsys.readouterr().out)["ready"] is True
