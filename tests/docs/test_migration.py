"""The migration guide: every `# Before` has its `# After`, every call of another library is documented, and our calls
exist.

A `# Before` block is written for another library and does not run; `test_documents` runs its `# After`.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import firebase_rest
from firebase_rest.migrate.findings import CODES

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "migration"
PAGES = sorted(GUIDE.glob("*.md"))

APP = "initialize_app auth database storage"
AUTH = """
    sign_in_with_email_and_password create_user_with_email_and_password sign_in_anonymous sign_in_with_custom_token
    create_custom_token refresh get_account_info send_email_verification send_password_reset_email update_profile
    verify_password_reset_code change_email change_password delete_user_account
"""
DATABASE = """
    child order_by_key order_by_value order_by_child start_at end_at equal_to limit_to_first limit_to_last shallow get
    push set update remove stream generate_key sort get_etag conditional_set conditional_remove val key each
"""
INNER = "build_request_url build_headers check_token"
STORAGE = "put download delete get_url list_files"
FIRESTORE = "firestore collection document where order_by"

CALLS = {
    "pyrebase.md": f"{APP} {AUTH} {DATABASE} {STORAGE} close current_user pyres thread",
    "breaks-network.md": f"{INNER} build_query last_push_time last_rand_chars query_key make_session convert_to_pyre",
    "firebase-rest-api.md": f"""{APP} {AUTH} {DATABASE} {INNER} {STORAGE} {FIRESTORE} firebases expiresAt
        authenticate_login_with_google authenticate_login_with_facebook create_authentication_uri expiration_hour
        sign_in_with_oauth_credential set_custom_user_claims verify_id_token add end_before list_of_documents offset
        select start_after""",
    "empyrebase.md": f"""{APP} {AUTH} {DATABASE} {INNER} {STORAGE} {FIRESTORE} close thread skip_version_check
        get_google_oauth_token sign_in_with_oauth token_refreshable token_refresher max_retries chunk_size authorize
        create_document get_document batch_get_documents run_query limit update_document delete_document list_documents
        SERVER_TIMESTAMP GeoPoint""",
    "asyncio.md": f"""{APP} {AUTH} {DATABASE} {INNER} {STORAGE} firestore expiresAt expiration_hour oauth_config
        interactive_login_with_provider create_authentication_uri sign_in_with_oauth_credential set_custom_user_claims
        verify_id_token AuthClient Rtdb sign_up sign_in_with_password sign_in_with_oauth get_associated_providers
        confirm_password_reset get_user_data link_account_with_email_and_password link_account_with_oauth_credential
        unlink_provider confirm_email_verification delete_account emulator_clear_accounts emulator_get_configuration
        emulator_update_configuration emulator_get_out_of_band_codes emulator_get_sms_codes order_by order_by_priority
        export_format timeout write_size_limit events""",
    "python-firebase.md": """FirebaseApplication FirebaseAuthentication FirebaseTokenGenerator JSONEncoder get put post
        patch delete get_async put_async post_async patch_async delete_async get_user create_token params headers""",
}
"""Page -> the public names of the library that it documents."""

OURS = {
    "firebase": firebase_rest.App,
    "app": firebase_rest.App,
    "auth": firebase_rest.Auth,
    "db": firebase_rest.Reference,
    "storage": firebase_rest.Storage,
    "response": firebase_rest.Snapshot,
    "item": firebase_rest.Item,
    "my_stream": firebase_rest.Stream,
}
"""Variable of the guide -> its class."""


def parts(page: Path) -> list[str]:
    """Return the Python blocks and headings of a page in order, without output and shell blocks."""
    python_or_heading = r"^```python\n(?P<code>.*?)^```$|^(?P<heading>#+ [^\n]*)$"
    found = re.finditer(python_or_heading, without_outputs(page), re.MULTILINE | re.DOTALL)
    return [match["code"] or match["heading"] for match in found]


def without_outputs(page: Path) -> str:
    other_fence = re.compile(r"^```(?!python\n)\S+\n.*?^```$", re.MULTILINE | re.DOTALL)
    return other_fence.sub("", page.read_text(encoding="utf-8"))


def is_before(part: str) -> bool:
    return part.startswith("# Before: ")


def test_every_page_has_before_blocks() -> None:
    counted = {page.name: sum(map(is_before, parts(page))) for page in PAGES}
    assert counted.pop("index.md") == 0
    assert all(counted.values()), counted


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_before_and_after_blocks_are_paired(page: Path) -> None:
    for part, behind in pairwise([*parts(page), ""]):
        assert is_before(part) == behind.startswith("# After\n"), f"{part}\n\n{behind}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_before_blocks_are_python_and_differ_from_after(page: Path) -> None:
    for before, after in pairwise(parts(page)):
        if is_before(before):
            ast.parse(before)
            assert before.partition("\n")[2] != after.partition("\n")[2], before


@pytest.mark.parametrize("name", CALLS)
def test_every_public_name_is_documented(name: str) -> None:
    code = " ".join(re.findall(r"`([^`\n]+)`", without_outputs(GUIDE / name)))
    missing = [word for word in CALLS[name].split() if not re.search(rf"\b{word}\b", code)]
    assert not missing


def calls_now() -> Iterator[tuple[str, ast.Attribute, ast.Call]]:
    """Return our calls in the tables: the right column, or the left one if it is unchanged."""
    for page in PAGES:
        for row in re.findall(r"^\| (`.*) \|$", page.read_text(encoding="utf-8"), re.MULTILINE):
            theirs, now = row.split(" | ", 1)
            stays = now.startswith(("same", "both", "[a new reference]"))
            for code in re.findall(r"`([^`]+)`", f"{theirs} {now}" if stays else now):
                yield from ((f"{page.name}: {code}", method, call) for method, call in calls_in(code))


def calls_in(code: str) -> Iterator[tuple[ast.Attribute, ast.Call]]:
    """Return the calls of methods of OURS."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # half a statement
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in OURS:
            yield node.func, node


def test_calls_in_tables_match_our_signatures() -> None:
    found = list(calls_now())
    assert len(found) > 100, "the tables were not found"
    for where, method, call in found:
        owner = OURS[ast.unparse(method.value)]
        assert hasattr(owner, method.attr), where
        named = {keyword.arg: None for keyword in call.keywords if keyword.arg}
        try:
            inspect.signature(getattr(owner, method.attr)).bind(None, *call.args, **named)
        except TypeError as error:
            pytest.fail(f"{where}: {error}")


# --- the checker -----------------------------------------------------------------------------------------------------

CHECKER = (GUIDE / "checker.md").read_text(encoding="utf-8")
BEGINNING = """import pyrebase
firebase = pyrebase.initialize_app({})
auth, db, storage = firebase.auth(), firebase.database(), firebase.storage()
"""


def test_checker_page_lists_every_code_with_its_level() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", CHECKER, re.MULTILINE)
    assert rows == [(name, code.level) for name, code in CODES.items()]


def befores_by_section(page: Path) -> Iterator[tuple[str, str]]:
    """Yield (anchor of the heading, `# Before` block)."""
    section = ""
    for part in parts(page):
        if part.startswith("#") and not is_before(part) and not part.startswith("# After\n"):
            section = re.sub(r"[^\w\- ]", "", part.lstrip("# ").lower()).replace(" ", "-")
        elif is_before(part):
            yield section, part


def test_checker_finds_the_linked_examples(tmp_path: Path) -> None:
    expected: dict[str, set[str]] = {}
    for code, page, section in re.findall(r"^\| `([a-z-]+)` .*\((breaks[\w-]*\.md)#([\w-]+)\)", CHECKER, re.MULTILINE):
        expected.setdefault(f"{page} {section}", set()).add(code)
    for page in PAGES:
        for number, (section, before) in enumerate(befores_by_section(page)):
            (tmp_path / f"{page.name} {section} {number}.py").write_text(BEGINNING + before, encoding="utf-8")
    command = [sys.executable, "-m", "firebase_rest.migrate", "--json", str(tmp_path)]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout)
    found: dict[str, set[str]] = {}
    for finding in report["findings"]:
        found.setdefault(Path(finding["path"]).name.rsplit(" ", 1)[0], set()).add(finding["code"])
    missed = {where: codes for where, codes in expected.items() if not codes & found.get(where, set())}
    assert not missed
