"""User management with our client, on the official Auth emulator and on ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

import firebase_rest
from firebase_rest import (
    AlreadyExists,
    App,
    EmailExists,
    ImportUserRecord,
    PhoneNumberExists,
    ProviderInfo,
    SessionExpired,
    TokenRevoked,
    UserDisabled,
    UserImportHash,
    UserNotFound,
    UserRecord,
)
from firebase_rest.auth.admin import Admin
from firebase_rest.auth.client import Auth
from firebase_rest.emulator import Emulator

PROJECT = "demo-project"


@pytest.fixture(scope="module")
def our_host() -> Iterator[str]:
    with Emulator(PROJECT).serve() as server:
        yield server.host


@pytest.fixture(params=["ours", "official"])
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    official = request.param == "official"
    host = request.getfixturevalue("official_auth").host if official else request.getfixturevalue("our_host")
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", host)
    with firebase_rest.initialize_app({"apiKey": "any", "projectId": PROJECT}) as app:
        app.requests.delete(f"http://{host}/emulator/v1/projects/{PROJECT}/accounts")
        yield app


@pytest.fixture
def auth(app: App) -> Auth:
    return app.auth()


@pytest.fixture
def admin(auth: Auth) -> Admin:
    return auth.admin


@pytest.fixture
def ada(admin: Admin) -> UserRecord:
    return admin.create_user(
        "ada",
        email="Ada@example.com",
        email_verified=True,
        password="secret1",
        display_name="Ada",
        photo_url="https://example.com/ada.png",
        phone_number="+15550100",
    )


def is_now(moment: datetime | None) -> bool:
    return moment is not None and abs(datetime.now(timezone.utc) - moment) < timedelta(seconds=60)


# --- creating and reading
# ---------------------------------------------------------------------------------------------


def test_create_user_with_all_properties(ada):
    assert (ada.uid, ada.email, ada.email_verified) == ("ada", "ada@example.com", True)
    assert (ada.display_name, ada.photo_url) == ("Ada", "https://example.com/ada.png")
    assert (ada.phone_number, ada.disabled, ada.has_password) == ("+15550100", False, True)
    assert {provider.provider_id: provider.uid for provider in ada.providers} == {
        "password": "ada@example.com",
        "phone": "+15550100",
    }
    assert is_now(ada.created_at)
    assert is_now(ada.tokens_valid_after)
    assert is_now(ada.password_updated_at)
    assert ada.last_refresh_at is None
    assert ada.custom_claims == {}


def test_create_user_without_properties(admin):
    user = admin.create_user()
    assert user == admin.get_user(user.uid)
    assert (user.email, user.providers, user.has_password) == (None, (), False)


def test_create_disabled_user(admin):
    assert admin.create_user("off", disabled=True).disabled


def test_duplicate_uid_email_or_phone_is_rejected(admin, ada):
    with pytest.raises(AlreadyExists) as caught:
        admin.create_user("ada")
    assert caught.value.code == "DUPLICATE_LOCAL_ID"
    with pytest.raises(EmailExists):
        admin.create_user(email="ada@example.com")
    with pytest.raises(PhoneNumberExists):
        admin.create_user(phone_number="+15550100")


def test_get_user_by_each_identifier(admin, ada):
    linked = admin.update_user("ada", link_provider=ProviderInfo("google.com", "g1", email="ada@gmail.com"))
    assert admin.get_user("ada") == linked
    assert admin.get_user_by_email("ADA@example.com") == linked
    assert admin.get_user_by_phone_number("+15550100") == linked
    assert admin.get_user_by_provider("google.com", "g1") == linked


@pytest.mark.parametrize(
    "find",
    [
        lambda admin: admin.get_user("nobody"),
        lambda admin: admin.get_user_by_email("nobody@example.com"),
        lambda admin: admin.get_user_by_phone_number("+15559999"),
        lambda admin: admin.get_user_by_provider("google.com", "nobody"),
    ],
)
def test_unknown_user_raises_user_not_found(admin, find):
    with pytest.raises(UserNotFound, match=r"nobody|\+15559999"):
        find(admin)


def test_get_users_returns_found_and_missing_users(admin, ada):
    bob = admin.create_user("bob")
    result = admin.get_users(
        ["ada", "bob", "carol"],
        emails=["Ada@Example.com", "nobody@example.com"],
        phone_numbers=["+15550100", "+15550999"],
        providers=[("google.com", "g9")],
    )
    assert {user.uid for user in result.users} == {ada.uid, bob.uid}
    assert result.not_found.uids == ("carol",)
    assert result.not_found.emails == ("nobody@example.com",)
    assert result.not_found.phone_numbers == ("+15550999",)
    assert result.not_found.providers == (("google.com", "g9"),)
    assert not admin.get_users(["ada"]).not_found


@pytest.mark.parametrize("page_size", [1, 2, 5, 1000])
def test_all_users_are_listed_over_all_pages(admin, page_size):
    made = {admin.create_user(f"user-{number}").uid for number in range(5)}
    listed = list(admin.list_users(page_size))
    assert {user.uid for user in listed} == made
    assert len(listed) == 5


def test_list_users_of_empty_project_is_empty(admin):
    assert list(admin.list_users()) == []


# --- changing -------------------------------------------------------------------------------------------------------


def test_update_user_changes_only_given_properties(admin, ada):
    changed = admin.update_user("ada", display_name="Countess", email_verified=False)
    assert changed == replace(ada, display_name="Countess", email_verified=False, providers=changed.providers)


def test_none_clears(admin, ada):
    changed = admin.update_user("ada", display_name=None, photo_url=None, phone_number=None)
    assert (changed.display_name, changed.photo_url, changed.phone_number) == (None, None, None)
    assert [provider.provider_id for provider in changed.providers] == ["password"]


def test_address_and_password_change(admin, auth, ada):
    admin.update_user("ada", email="new@example.com", password="another1")
    assert auth.sign_in_with_email_and_password("new@example.com", "another1")["localId"] == "ada"


def test_update_user_with_duplicate_email_is_rejected(admin, ada):
    admin.create_user("bob", email="bob@example.com")
    with pytest.raises(EmailExists):
        admin.update_user("bob", email="ada@example.com")


def test_providers_are_linked_and_unlinked(admin, ada):
    linked = admin.update_user("ada", link_provider=ProviderInfo("google.com", "g1", display_name="G"))
    assert ProviderInfo("google.com", "g1", display_name="G") in linked.providers
    unlinked = admin.update_user("ada", unlink_providers=["google.com", "phone"])
    assert [provider.provider_id for provider in unlinked.providers] == ["password"]
    assert unlinked.phone_number is None


def test_disabled_user_signs_in_after_being_enabled(admin, auth, ada):
    assert admin.disable_user("ada").disabled
    with pytest.raises(UserDisabled):
        auth.sign_in_with_email_and_password("ada@example.com", "secret1")
    assert not admin.enable_user("ada").disabled
    assert auth.sign_in_with_email_and_password("ada@example.com", "secret1")["localId"] == "ada"


def test_custom_claims_are_in_the_next_tokens_and_can_be_cleared(admin, auth, ada):
    assert admin.set_custom_claims("ada", {"admin": True, "level": [1, 2]}).custom_claims == {
        "admin": True,
        "level": [1, 2],
    }
    user = auth.sign_in_with_email_and_password("ada@example.com", "secret1")
    assert auth.verify_id_token(user["idToken"])["level"] == [1, 2]
    assert admin.set_custom_claims("ada", None).custom_claims == {}
    assert "admin" not in auth.verify_id_token(auth.refresh(user["refreshToken"])["idToken"])


def test_second_factors_are_set_kept_and_removed(admin):
    user = admin.create_user("mfa", email="m@example.com", email_verified=True, second_factors=["+15550101"])
    (factor,) = user.second_factors
    assert (factor.kind, factor.phone_number) == ("phone", "+15550101")
    named = admin.update_user("mfa", second_factors=[replace(factor, display_name="mine")])
    assert named.second_factors == (replace(factor, display_name="mine"),)
    assert admin.update_user("mfa", second_factors=None).second_factors == ()


def test_update_of_unknown_user_is_rejected(admin):
    for change in (admin.disable_user, admin.revoke_refresh_tokens, admin.delete_user):
        with pytest.raises(UserNotFound):
            change("nobody")


# --- deleting -------------------------------------------------------------------------------------------------------


def test_deleted_user_is_not_found(admin, ada):
    assert admin.delete_user("ada") is None
    with pytest.raises(UserNotFound):
        admin.get_user("ada")


def test_many_are_deleted_at_once(admin):
    for uid in ("a", "b"):
        admin.create_user(uid)
    result = admin.delete_users(["a", "b", "nobody"])
    assert (result.success_count, result.failure_count) == (3, 0)
    assert list(admin.list_users()) == []


def test_delete_users_without_force_deletes_disabled_users(admin):
    admin.create_user("off", disabled=True)
    admin.create_user("on")
    result = admin.delete_users(["off", "on"], force=False)
    assert result.success_count == 1
    (error,) = result.errors
    assert (error.index, error.uid) == (1, "on")
    assert error.message.startswith("NOT_DISABLED")


# --- importing ------------------------------------------------------------------------------------------------------

HASHES = [
    UserImportHash.scrypt(b"key", 8, 14, b"\x07"),
    UserImportHash.standard_scrypt(memory_cost=1024, parallelization=16, block_size=8, derived_key_length=64),
    UserImportHash.bcrypt(),
    UserImportHash.argon2("ARGON2_ID", hash_length=32, iterations=2, memory_cost_kib=1024, parallelism=1),
    *(UserImportHash.hmac(name, b"key") for name in ("MD5", "SHA1", "SHA256", "SHA512")),
    *(UserImportHash.digest(name, 1, "SALT_AND_PASSWORD") for name in ("MD5", "SHA1", "SHA256", "SHA512")),
    *(UserImportHash.pbkdf(name, 1000) for name in ("PBKDF_SHA1", "PBKDF2_SHA256")),
]


@pytest.mark.parametrize("hashing", HASHES, ids=lambda hashing: hashing.algorithm)
def test_users_are_imported_with_hashes_of_every_kind(admin, hashing):
    users = [ImportUserRecord("u1", email="u1@example.com", password_hash=b"\xfb\xff hash", password_salt=b"\xfb salt")]
    assert admin.import_users(users, hashing).success_count == 1
    user = admin.get_user("u1")
    assert user.has_password
    assert user.password_hash == "-_8gaGFzaA=="
    assert user.password_salt == "-yBzYWx0"


def test_import_user_with_all_properties(admin):
    long_ago = datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    google = ProviderInfo("google.com", "g1", email="u@gmail.com")
    record = ImportUserRecord(
        "u1",
        email="u1@example.com",
        email_verified=True,
        display_name="U",
        photo_url="https://example.com/u.png",
        phone_number="+15550100",
        disabled=True,
        providers=[google],
        custom_claims={"admin": True},
        created_at=long_ago,
        last_sign_in_at=long_ago + timedelta(days=1),
        second_factors=["+15550101"],
    )
    assert admin.import_users([record]).errors == ()
    user = admin.get_user("u1")
    assert (user.email, user.email_verified, user.display_name) == ("u1@example.com", True, "U")
    assert (user.phone_number, user.disabled, user.custom_claims) == ("+15550100", True, {"admin": True})
    assert (user.created_at, user.last_sign_in_at) == (long_ago, long_ago + timedelta(days=1))
    assert google in user.providers
    assert [factor.phone_number for factor in user.second_factors] == ["+15550101"]


def test_import_errors_have_the_index_of_the_user(admin, ada):
    users = [
        ImportUserRecord("new"),
        ImportUserRecord("thief", providers=[ProviderInfo("google.com", "")]),
        ImportUserRecord("ada", display_name="overwritten"),
    ]
    result = admin.import_users(users, overwrite=False)
    assert (result.success_count, result.failure_count) == (1, 2)
    assert [(error.index, error.uid) for error in result.errors] == [(1, "thief"), (2, "ada")]
    assert admin.import_users(users[2:]).success_count == 1
    assert admin.get_user("ada").display_name == "overwritten"


# --- links ----------------------------------------------------------------------------------------------------------


def code_in(link):
    return parse_qs(urlsplit(link).query)["oobCode"][0]


def test_generated_link_resets_password(admin, auth, ada):
    link = admin.password_reset_link("ada@example.com", "https://example.com/done")
    assert parse_qs(urlsplit(link).query)["continueUrl"] == ["https://example.com/done"]
    auth.confirm_password_reset(code_in(link), "another1")
    assert auth.sign_in_with_email_and_password("ada@example.com", "another1")["localId"] == "ada"


def test_generated_link_verifies_email(admin, auth):
    admin.create_user("bob", email="bob@example.com")
    auth.apply_action_code(code_in(admin.email_verification_link("bob@example.com")))
    assert admin.get_user("bob").email_verified


def test_generated_link_signs_in(admin, auth):
    link = admin.sign_in_link("carol@example.com", "https://example.com/")
    user = auth.sign_in_with_email_link("carol@example.com", link)
    assert admin.get_user_by_email("carol@example.com").uid == user["localId"]


def test_generated_link_changes_email(admin, auth, ada):
    auth.apply_action_code(code_in(admin.email_change_link("ada@example.com", "new@example.com")))
    assert admin.get_user("ada").email == "new@example.com"


def test_link_for_unknown_email_is_rejected(admin):
    for ask in (admin.password_reset_link, admin.email_verification_link):
        with pytest.raises(UserNotFound):
            ask("nobody@example.com")


# --- sessions -------------------------------------------------------------------------------------------------------


def test_check_revoked_detects_revoked_and_disabled(admin, auth, ada, clock):
    user = auth.sign_in_with_email_and_password("ada@example.com", "secret1")
    cookie = auth.create_session_cookie(user["idToken"], timedelta(hours=1))
    assert auth.verify_id_token(user["idToken"], check_revoked=True)["uid"] == "ada"
    assert auth.verify_session_cookie(cookie, check_revoked=True)["uid"] == "ada"
    clock.forward(10)
    revoked = admin.revoke_refresh_tokens("ada")
    assert revoked.tokens_valid_after > ada.tokens_valid_after
    clock.back()
    assert auth.verify_id_token(user["idToken"])["uid"] == "ada"
    with pytest.raises(TokenRevoked):
        auth.verify_id_token(user["idToken"], check_revoked=True)
    with pytest.raises(TokenRevoked):
        auth.verify_session_cookie(cookie, check_revoked=True)
    admin.disable_user("ada")
    with pytest.raises(UserDisabled):
        auth.verify_id_token(user["idToken"], check_revoked=True)
    admin.delete_user("ada")
    with pytest.raises(UserNotFound):
        auth.verify_id_token(user["idToken"], check_revoked=True)


@pytest.fixture
def clock(monkeypatch):
    """Move the client's clock, which sets the time of a revocation, instead of waiting."""
    import time

    real = time.time

    class Clock:
        def forward(self, seconds):
            monkeypatch.setattr("firebase_rest.auth.admin.time.time", lambda: real() + seconds)

        def back(self):
            monkeypatch.setattr("firebase_rest.auth.admin.time.time", real)

    return Clock()


def test_token_issued_by_password_change_is_not_revoked(admin, auth, ada):
    user = auth.sign_in_with_email_and_password("ada@example.com", "secret1")
    fresh = auth.change_password(user["idToken"], "another1")
    assert auth.verify_id_token(fresh["idToken"], check_revoked=True)["uid"] == "ada"


def test_session_cookie_for_invalid_token_is_rejected(auth):
    with pytest.raises(SessionExpired):
        auth.create_session_cookie("nonsense", 3600)


# --- tenants --------------------------------------------------------------------------------------------------------


def test_tenant_has_separate_users(app, auth, admin, ada):
    tenant = admin.for_tenant("t1")
    tenant.delete_users([user.uid for user in tenant.list_users()])
    user = tenant.create_user("ada", email="ada@example.com", password="secret1")
    assert (tenant.tenant_id, user.tenant_id, ada.tenant_id) == ("t1", "t1", None)
    assert tenant.get_user("ada").display_name is None
    assert [user.uid for user in tenant.list_users()] == ["ada"]
    tenant.delete_user("ada")
    assert admin.get_user("ada") == ada


def test_tenant_token_is_verified_with_the_tenant_user(auth, admin):
    tenant = admin.for_tenant("t1")
    tenant.delete_users([user.uid for user in tenant.list_users()])
    token = auth.create_custom_token("u1", tenant_id="t1")
    payload = auth.requests.post(
        f"{auth._endpoint.url('identitytoolkit.googleapis.com', 'v1/accounts:signInWithCustomToken')}?key=any",
        json={"token": token, "tenantId": "t1", "returnSecureToken": True},
    ).json()
    claims = auth.verify_id_token(payload["idToken"], check_revoked=True, tenant_id="t1")
    assert claims["firebase"]["tenant"] == "t1"
    with pytest.raises(firebase_rest.InvalidToken):
        auth.verify_id_token(payload["idToken"], tenant_id="t2")
    cookie = auth.create_session_cookie(payload["idToken"], 300)
    assert auth.verify_session_cookie(cookie, check_revoked=True, tenant_id="t1")["uid"] == "u1"
