"""Messages and suggestions: correct if followed literally, with the right object and line."""

from __future__ import annotations

import pytest

from firebase_rest.migrate.findings import Finding

STORAGE = "storage = firebase.storage()\n"
EMPYREBASE = "import empyrebase\nfirebase = empyrebase.initialize_app({})\nstorage = firebase.storage()\n"
PYTHON_FIREBASE = "from firebase.firebase import FirebaseApplication\nfb = FirebaseApplication('https://x.example')\n"


def only(found: list[Finding], code: str) -> Finding:
    (finding,) = [finding for finding in found if finding.code == code]
    return finding


@pytest.mark.parametrize("call", ["remove()", "conditional_remove('etag')"])
def test_query_remove_suggests_removing_each_child(program, call) -> None:
    finding = only(program.found(f"db.child('a').order_by_key().limit_to_first(1).{call}\n"), "query-write")
    assert "for item in query.get(): reference.child(item.key()).remove()" in finding.suggestion


@pytest.mark.parametrize("name", [", None", ", ''", ", name=None"])
def test_python_firebase_get_without_name(program, name) -> None:
    finding = only(program.found(f"fb.get('/users'{name})\n", PYTHON_FIREBASE)[2:], "python-firebase")
    assert finding.suggestion == "write db.child(url).get().val()"


def test_python_firebase_get_with_name(program) -> None:
    finding = only(program.found("fb.get('/users', 'ada')\n", PYTHON_FIREBASE)[2:], "python-firebase")
    assert finding.suggestion == "write db.child(url, name).get().val()"


def test_quoted_text_names_the_line_of_quote(program) -> None:
    body = "from urllib.parse import quote\nname = quote('50%')\nprint(db.child(name).get())\n"
    assert only(program.found(body), "url-text").suggestion == "pass the text as it is, without the quote() in line 6"


def test_text_quoted_in_a_function_is_not_fixed(program) -> None:
    body = "from urllib.parse import quote\ndef safe(text):\n    return quote(text)\ndb.child(safe('50%')).set(1)\n"
    assert program.fixed(body) == body


def test_text_quoted_in_an_attribute_is_not_fixed(program) -> None:
    body = (
        "from urllib.parse import quote\nclass Page:\n    def __init__(self, name):\n        self.name = quote(name)\n"
        "    def save(self):\n        db.child(self.name).set(1)\n"
    )
    assert program.fixed(body) == body


def test_root_operation_of_storage_suggests_storage_chain(program) -> None:
    finding = only(program.found(f"{STORAGE}storage.child('a')\nprint(1)\nstorage.put('a')\n"), "root-operation")
    assert finding.suggestion == "write the complete path in one chain: storage.child(...).put(...)"


def test_shared_reference_suggests_the_ignore_comment(program) -> None:
    finding = only(program.found("ref = db.child('a')\nref.get()\nref.get()\n"), "shared-reference")
    assert "# firebase-rest: ignore" in finding.suggestion


def test_empyrebase_put_size_suggests_chunk_size(program) -> None:
    body = "storage.child('a').put('a', None, 'text/plain', 262144)\n"
    assert only(program.found(body, EMPYREBASE), "fork-call").suggestion.endswith("chunk_size=262144")


def test_url_token_suggestion_requires_an_existing_file(program) -> None:
    finding = only(program.found(f"{STORAGE}storage.child('a').get_url(auth.token)\n"), "url-token")
    assert finding.level == "warning"
    assert "raises NotFound" in finding.message
