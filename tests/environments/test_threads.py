"""Threads that continue after the main thread has ended, and interpreter exit."""

from __future__ import annotations

import signal
import textwrap

import pytest

START = """
import asyncio, atexit, gc, logging, os, signal, sys, threading, time
import firebase_rest
from firebase_rest import initialize_app
from support.waiting import wait_for

CONFIG = {"apiKey": "k", "databaseURL": os.environ["DATABASE"], "storageBucket": "b.appspot.com", "projectId": "demo"}
"""

LOG_EVENT = """
        logged = threading.Event()
        class LogHandler(logging.StreamHandler):
            def emit(self, record):
                super().emit(record)
                logged.set()
        logging.getLogger("firebase_rest").addHandler(LogHandler())
"""
"""Statements that log to standard error and then set the event `logged`."""


@pytest.fixture
def program(run, server):
    """A function `program(body)` that runs it against the emulator."""

    def program(body: str, **options):
        source = START + textwrap.dedent(body)
        return run(source, DATABASE=server.config["databaseURL"], **server.environ, **options)

    return program


# --- after the main thread -------------------------------------------------------------------------------------------

AFTER_MAIN = """
app = initialize_app(CONFIG, deadline={deadline})
main = threading.main_thread()

def work():
    {work}

def handler(message):
    main.join()
    try:
        work()
        print("done")
    except BaseException as error:
        print(repr(error))
        raise
    finally:
        os.environ["STOP"] = "1"
        stream.close()

stream = app.database().stream(handler)
"""

WORK = {
    "database": """
    db = app.database()
    db.child("a").set(1)
    assert db.child("a").get().val() == 1
    assert db.child("a").transaction(lambda value: value + 1) == 2
    with app.database().child("a").live() as live:
        assert live.value == 2
    """,
    "auth": """
    auth = app.auth()
    user = auth.sign_in_anonymous()
    session = auth.session(user)
    assert session.refresh()
    assert auth.verify_id_token(session.id_token)["sub"] == session.uid
    """,
    "storage": """
    storage = app.storage()
    storage.child("a").put(b"x" * 3_000_000)
    assert len(storage.child("a").get_bytes()) == 3_000_000
    results = storage.upload_many({f"f/{number}": b"x" for number in range(10)})
    assert all(result.ok for result in results), results
    assert len(list(storage.list_files())) == 11
    """,
}


@pytest.mark.parametrize("deadline", [pytest.param("None", marks=pytest.mark.slow), "10"])
@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_stream_thread_uses_services_after_main_thread_ends(program, work, deadline) -> None:
    result = program(AFTER_MAIN.format(work=work.strip(), deadline=deadline))
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr
    assert "Traceback" not in result.stderr


def test_log_names_the_stream_that_keeps_the_program_running(program) -> None:
    result = program(
        LOG_EVENT
        + """
        app = initialize_app(CONFIG)
        stream = app.database().child("chat").stream(lambda message: None)
        quiet = app.database().child("quiet").stream(lambda message: None, daemon=True)
        wait_for(lambda: stream.state == "open")
        def end():
            assert logged.wait(20)
            stream.close()
        threading.Thread(target=end).start()
        raise RuntimeError("in between")
    """
    )
    assert result.returncode == 1
    assert "RuntimeError: in between" in result.stderr
    assert result.stderr.count("keeps the program running") == 1
    assert "<Stream of /chat, open>" in result.stderr
    assert "daemon=True" in result.stderr
    assert "quiet" not in result.stderr


def test_daemon_stream_ends_with_the_main_thread(program) -> None:
    result = program("""
        stream = initialize_app(CONFIG).database().stream(lambda message: None, daemon=True)
        wait_for(lambda: stream.state == "open")
        raise RuntimeError("in between")
    """)
    assert result.returncode == 1
    assert "keeps the program" not in result.stderr


# --- the end of the program ------------------------------------------------------------------------------------------

EXITS = {
    "atexit": ("atexit.register(work)", ""),
    "__del__ of a global": ("", "keeper = Keeper()"),
    "__del__ in a cycle": ("", "keeper = Keeper(); keeper.itself = keeper; del keeper"),
    "__del__ of a module": ("", "os.keeper = Keeper()"),
}


@pytest.mark.parametrize("deadline", [pytest.param("None", marks=pytest.mark.slow), "3"])
@pytest.mark.parametrize("first", ["db.get()", pytest.param("pass", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", EXITS)
def test_call_at_exit_ends(program, kind, first, deadline) -> None:
    register, keep = EXITS[kind]
    result = program(
        f"""
        app = initialize_app(CONFIG, deadline={deadline})
        db = app.database()
        def work(db=db, write=os.write):
            if db.child("exit").set(1) == 1:
                write(1, b"done\\n")
        class Keeper:
            def __del__(self, work=work):
                work()
        {first}
        {register}
        {keep}
        """,
        limit=20,
    )
    assert result.returncode == 0, result.stderr
    if kind == "atexit":
        assert result.stdout == "done\n", result.stderr


@pytest.mark.parametrize("use", ["stream(lambda message: None)", "live()"])
def test_stream_opened_at_interpreter_exit_is_rejected(program, use) -> None:
    result = program(
        f"""
        gc.set_threshold(0)  # the cycle is collected when the interpreter exits, and not before
        db = initialize_app(CONFIG).database()
        class Keeper:
            def __del__(self, db=db):
                db.{use}
        db.{use}.close()
        keeper = Keeper(); keeper.itself = keeper; del keeper
    """,
        limit=20,
    )
    assert result.returncode == 0
    assert "StreamError" in result.stderr
    assert "while the program exits" in result.stderr


def test_garbage_collected_apps_leave_no_threads(program) -> None:
    result = program("""
        for _ in range(200):
            initialize_app(CONFIG, deadline=10).database().get()
        wait_for(lambda: threading.active_count() <= 2)
        for _ in range(200):
            with initialize_app(CONFIG, deadline=10) as app:
                app.database().get()
        wait_for(lambda: threading.active_count() == 1)
    """)
    assert result.returncode == 0, result.stderr


def test_ctrl_c_ends_program_after_main_thread_ended(program) -> None:
    result = program("""
        def interrupt():
            threading.main_thread().join()
            while True:  # Python handles a signal that arrives just before a system call only after the call
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.1)
        threading.Thread(target=interrupt, daemon=True).start()
        stream = initialize_app(CONFIG).database().stream(lambda message: None)
        wait_for(lambda: stream.state == "open")
    """)
    assert "KeyboardInterrupt" in result.stderr


def test_ctrl_c_in_the_main_thread_ends_streams_too(program) -> None:
    result = program("""
        stream = initialize_app(CONFIG).database().stream(lambda message: None)
        wait_for(lambda: stream.state == "open")
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)
    """)
    assert result.returncode == -signal.SIGINT
    assert "keeps the program" not in result.stderr


# --- SystemExit in handlers ---------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt", "asyncio.CancelledError"])
@pytest.mark.parametrize("callback", ["handler", "on_state"])
def test_system_exit_in_callback_ends_the_stream(program, error, callback) -> None:
    arguments = "fail" if callback == "handler" else "print, on_state=fail"
    result = program(f"""
        def fail(_):
            raise {error}("no more")
        stream = initialize_app(CONFIG).database().stream({arguments})
        stream.thread.join(10)
        assert not stream.is_alive() and stream.state == "closed"
    """)
    assert result.returncode == 0, result.stderr
    assert f"has ended, because a callback raised {error.rpartition('.')[2]}" in result.stderr


def test_system_exit_in_handler_ends_sync_stream(program) -> None:
    result = program("""
        initialize_app(CONFIG).database().stream(lambda message: sys.exit(7), is_async=False)
    """)
    assert (result.returncode, result.stderr) == (7, "")


def test_system_exit_in_callback_ends_the_live_copy(program) -> None:
    result = program("""
        db = initialize_app(CONFIG).database()
        live = db.live()
        live.on_value(lambda value: sys.exit() if value.val() else None)
        db.child("a").set(1)
        try:
            live.wait_until(lambda value: value == {"never": 1}, 10)
        except firebase_rest.StreamError as error:
            assert "SystemExit" in str(error), error
        wait_for(lambda: not live.is_alive())
    """)
    assert result.returncode == 0, result.stderr
    assert "has ended, because a callback raised SystemExit" in result.stderr
