"""Google's firebase-admin as a client of our Auth emulator: user management, links, cookies, tenants."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import firebase_admin
import pytest
import requests
from firebase_admin import auth
from firebase_admin.exceptions import FirebaseError

from firebase_rest.emulator import Emulator

PROJECT = "demo-project"


@pytest.fixture(scope="module")
def server():
    with Emulator(PROJECT).serve() as server:
        yield server


@pytest.fixture
def app(server, monkeypatch):
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
    server.emulator.reset()
    app = firebase_admin.initialize_app(options={"projectId": PROJECT}, name="auth")
    yield app
    firebase_admin.delete_app(app)


@pytest.fixture
def ada(app):
    return auth.create_user(
        uid="ada",
        email="ada@example.com",
        email_verified=True,
        password="secret1",
        display_name="Ada",
        phone_number="+15550100",
        app=app,
    )


def sign_in(server, **fields):
    operation = fields.pop("operation", "signInWithPassword")
    url = f"http://{server.host}/identitytoolkit.googleapis.com/v1/accounts:{operation}"
    response = requests.post(url, params={"key": "any"}, json={**fields, "returnSecureToken": True}, timeout=10)
    assert response.ok, response.text
    return response.json()


def test_create_and_get_users(app, ada):
    assert (ada.uid, ada.email, ada.email_verified, ada.display_name) == ("ada", "ada@example.com", True, "Ada")
    assert ada.user_metadata.creation_timestamp > 0
    assert [provider.provider_id for provider in ada.provider_data] == ["password", "phone"]
    for found in (
        auth.get_user("ada", app=app),
        auth.get_user_by_email("ada@example.com", app=app),
        auth.get_user_by_phone_number("+15550100", app=app),
    ):
        assert found.uid == "ada"
    for find, name in ((auth.get_user, "nobody"), (auth.get_user_by_email, "nobody@example.com")):
        with pytest.raises(auth.UserNotFoundError):
            find(name, app=app)


def test_get_users_returns_missing_identifiers(app, ada):
    google = auth.ImportUserRecord("g", provider_data=[auth.UserProvider("g1", "google.com")])
    auth.import_users([google], app=app)
    identifiers = [
        auth.UidIdentifier("ada"),
        auth.EmailIdentifier("ada@example.com"),
        auth.ProviderIdentifier("google.com", "g1"),
        auth.PhoneIdentifier("+15559999"),
    ]
    result = auth.get_users(identifiers, app=app)
    assert {user.uid for user in result.users} == {"ada", "g"}
    assert [missing.phone_number for missing in result.not_found] == ["+15559999"]


def test_list_users_returns_all_pages(app):
    for number in range(5):
        auth.create_user(uid=f"u{number}", app=app)
    page = auth.list_users(max_results=2, app=app)
    assert len(page.users) == 2
    assert page.has_next_page
    assert [user.uid for user in page.iterate_all()] == [f"u{number}" for number in range(5)]


def test_duplicate_identifiers_are_rejected(app, ada):
    with pytest.raises(auth.UidAlreadyExistsError):
        auth.create_user(uid="ada", app=app)
    with pytest.raises(auth.EmailAlreadyExistsError):
        auth.create_user(email="ada@example.com", app=app)
    with pytest.raises(auth.PhoneNumberAlreadyExistsError):
        auth.create_user(phone_number="+15550100", app=app)


def test_update_disable_and_delete_users(app, ada):
    changed = auth.update_user("ada", display_name=auth.DELETE_ATTRIBUTE, phone_number=auth.DELETE_ATTRIBUTE, app=app)
    assert (changed.display_name, changed.phone_number) == (None, None)
    assert auth.update_user("ada", disabled=True, app=app).disabled
    auth.delete_user("ada", app=app)
    with pytest.raises(auth.UserNotFoundError):
        auth.delete_user("ada", app=app)


def test_delete_users_in_batches(app, ada):
    auth.create_user(uid="bob", app=app)
    assert auth.delete_users(["ada", "bob", "nobody"], app=app).success_count == 3


def test_custom_claims_are_in_verified_tokens(app, server, ada):
    auth.set_custom_user_claims("ada", {"admin": True}, app=app)
    assert auth.get_user("ada", app=app).custom_claims == {"admin": True}
    token = sign_in(server, email="ada@example.com", password="secret1")["idToken"]
    claims = auth.verify_id_token(token, app=app)
    assert (claims["uid"], claims["admin"]) == ("ada", True)


def test_check_revoked_detects_revoked_and_disabled(app, server, ada):
    token = sign_in(server, email="ada@example.com", password="secret1")["idToken"]
    assert auth.verify_id_token(token, app=app, check_revoked=True)["uid"] == "ada"
    auth.update_user("ada", disabled=True, app=app)
    with pytest.raises(auth.UserDisabledError):
        auth.verify_id_token(token, app=app, check_revoked=True)
    auth.update_user("ada", disabled=False, app=app)
    # The client's clock sets the time: a minute ahead instead of a sleep.
    ahead = int(dt.datetime.now(dt.timezone.utc).timestamp()) + 60
    auth._get_client(app)._user_manager.update_user("ada", valid_since=ahead)
    with pytest.raises(auth.RevokedIdTokenError):
        auth.verify_id_token(token, app=app, check_revoked=True)


def test_its_session_cookies_verify(app, server, ada):
    token = sign_in(server, email="ada@example.com", password="secret1")["idToken"]
    cookie = auth.create_session_cookie(token, dt.timedelta(hours=1), app=app)
    assert auth.verify_session_cookie(cookie, app=app, check_revoked=True)["uid"] == "ada"
    with pytest.raises(auth.InvalidSessionCookieError):
        auth.verify_session_cookie(token, app=app)


def test_its_custom_tokens_sign_in(app, server):
    token = auth.create_custom_token("u1", {"role": "cook"}, app=app).decode()
    claims = auth.verify_id_token(sign_in(server, operation="signInWithCustomToken", token=token)["idToken"], app=app)
    assert (claims["uid"], claims["role"]) == ("u1", "cook")


@pytest.mark.parametrize(
    ("generate", "mode"),
    [
        (auth.generate_password_reset_link, "resetPassword"),
        (auth.generate_email_verification_link, "verifyEmail"),
        (auth.generate_sign_in_with_email_link, "signIn"),
    ],
)
def test_its_action_links_have_their_parts(app, ada, generate, mode):
    settings = auth.ActionCodeSettings("https://example.com/", handle_code_in_app=True)
    query = parse_qs(urlsplit(generate("ada@example.com", settings, app=app)).query)
    assert query["mode"] == [mode]
    assert query["continueUrl"] == ["https://example.com/"]
    assert query["oobCode"][0]


def test_import_users_with_hashes_reports_errors(app, ada):
    users = [
        auth.ImportUserRecord("new", email="new@example.com", password_hash=b"hash", password_salt=b"salt"),
        auth.ImportUserRecord("thief", email="ada@example.com"),
    ]
    algorithm = auth.UserImportHash.scrypt(key=b"key", rounds=8, memory_cost=14)
    result = auth.import_users(users, hash_alg=algorithm, app=app)
    assert (result.success_count, [error.index for error in result.errors]) == (1, [1])
    assert auth.get_user("new", app=app).email == "new@example.com"


def test_tenants_have_separate_users(app, ada):
    shop = auth.Client(app, tenant_id="shop")
    user = shop.create_user(uid="ada", email="ada@example.com")
    assert (user.tenant_id, user.display_name) == ("shop", None)
    assert [user.uid for user in shop.list_users().iterate_all()] == ["ada"]
    imported = shop.import_users([auth.ImportUserRecord("bob")])
    assert imported.success_count == 1
    assert shop.delete_users(["ada", "bob"]).success_count == 2
    assert auth.get_user("ada", app=app).display_name == "Ada"


def test_unsupported_calls_raise_errors(app):
    with pytest.raises(FirebaseError, match="not implemented"):
        auth.get_oidc_provider_config("oidc.one", app=app)
