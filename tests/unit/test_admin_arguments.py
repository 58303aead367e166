"""Arguments of `Admin`: invalid ones are rejected before anything is sent, without secrets in the message."""

from __future__ import annotations

import pickle

import pytest

import firebase_rest
from firebase_rest import ImportUserRecord, ProviderInfo, UsageError, UserImportHash, UserRecord

SECRET = "correct horse"


@pytest.fixture
def admin(monkeypatch):
    """An App with the address of an emulator that does not run, so every request fails."""
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")
    with firebase_rest.initialize_app({"projectId": "demo-project", "apiKey": "k"}, retries=0) as app:
        yield app.auth().admin


WRONG = {
    "an empty uid": (lambda admin: admin.get_user(""), "1 to 128"),
    "a long uid": (lambda admin: admin.delete_user("x" * 129), "1 to 128"),
    "no uid": (lambda admin: admin.update_user(None), "1 to 128"),
    "no address": (lambda admin: admin.get_user_by_email("ada"), "email address"),
    "two addresses": (lambda admin: admin.create_user(email="a@b@c"), "email address"),
    "a national number": (lambda admin: admin.get_user_by_phone_number("0555"), r"E\.164"),
    "a number of no digits": (lambda admin: admin.create_user(phone_number="+"), r"E\.164"),
    "a short password": (lambda admin: admin.create_user(password="short"), "at least 6"),
    "no display name": (lambda admin: admin.create_user(display_name=""), "display_name"),
    "a relative picture": (lambda admin: admin.update_user("ada", photo_url="me.png"), "absolute URL"),
    "a broken picture": (lambda admin: admin.update_user("ada", photo_url="http://["), "absolute URL"),
    "an invalid flag": (lambda admin: admin.update_user("ada", disabled="yes"), "True or False"),
    "no provider": (lambda admin: admin.get_user_by_provider("", "g1"), "provider_id"),
    "no uid at the provider": (
        lambda admin: admin.update_user("a", link_provider=ProviderInfo("google.com", "")),
        "uid",
    ),
    "too many to look up": (lambda admin: admin.get_users(["u"] * 101), "100 items, got 101"),
    "too many of all kinds": (lambda admin: admin.get_users(["u"] * 60, emails=["a@b.c"] * 60), "got 120"),
    "too many to delete": (lambda admin: admin.delete_users(["u"] * 1001), "1000 items"),
    "too many to import": (lambda admin: admin.import_users([ImportUserRecord("u")] * 1001), "1000 items"),
    "no page": (lambda admin: admin.list_users(0), "from 1 to 1,000"),
    "a large page": (lambda admin: admin.list_users(1001), "from 1 to 1,000"),
    "reserved claims": (lambda admin: admin.set_custom_claims("u", {"sub": 1}), "'sub' is reserved"),
    "large claims": (lambda admin: admin.set_custom_claims("u", {"a": "x" * 1000}), "at most 1000"),
    "claims that are no JSON": (lambda admin: admin.set_custom_claims("u", {"a": {1}}), "must be JSON"),
    "claims that are no mapping": (lambda admin: admin.set_custom_claims("u", [1]), "must be a dict"),
    "an import without a uid": (lambda admin: admin.import_users([ImportUserRecord("")]), "1 to 128"),
    "hashes of no known kind": (
        lambda admin: admin.import_users([ImportUserRecord("u", password_hash=b"x")]),
        "hashing",
    ),
    "a hash as text": (
        lambda admin: admin.import_users([ImportUserRecord("u", password_hash=SECRET)]),
        "must be bytes, got str",
    ),
    "a sign-in link to nowhere": (lambda admin: admin.sign_in_link("a@b.c", None), "must contain url"),
    "a link to a relative page": (lambda admin: admin.password_reset_link("a@b.c", "/done"), r"http\(s\) URL"),
    "no new address": (lambda admin: admin.email_change_link("a@b.c", "new"), "email address"),
    "no tenant": (lambda admin: admin.for_tenant(""), "tenant_id"),
    "one uid for a list to delete": (lambda admin: admin.delete_users("u1"), "uids must be a list, got str"),
    "one uid for a list to look up": (lambda admin: admin.get_users("u1"), "uids must be a list, got str"),
    "one address for a list": (lambda admin: admin.get_users(emails="a@b.c"), "emails must be a list"),
    "one number for a list": (lambda admin: admin.get_users(phone_numbers="+1555"), "phone_numbers must be a list"),
    "one provider for a list": (lambda admin: admin.get_users(providers="google.com"), "providers must be a list"),
    "providers without uids": (lambda admin: admin.get_users(providers=["google.com"]), "must be pairs"),
    "one provider to unlink": (lambda admin: admin.update_user("u", unlink_providers="phone"), "must be a list"),
    "one factor for a list": (lambda admin: admin.create_user(second_factors="+15550100"), "must be a list"),
    "one factor for all": (lambda admin: admin.update_user("u", second_factors="+15550100"), "must be a list"),
    "a factor that is a number": (lambda admin: admin.update_user("u", second_factors=[5]), "MfaFactor, got int"),
    "a provider as a dict": (lambda admin: admin.update_user("u", link_provider={"a": 1}), "ProviderInfo, got dict"),
    "one user to import": (
        lambda admin: admin.import_users(ImportUserRecord("u")),
        "users must be a list, got ImportUserRecord",
    ),
    "a dict to import": (lambda admin: admin.import_users([{"uid": "u"}]), "ImportUserRecord, got dict"),
    "a provider to import as a dict": (
        lambda admin: admin.import_users([ImportUserRecord("u", providers=[{"a": 1}])]),
        "ProviderInfo, got dict",
    ),
    "a time to import as a number": (
        lambda admin: admin.import_users([ImportUserRecord("u", created_at=1_700_000_000)]),
        "created_at must be of class datetime, got int",
    ),
    "a hashing as text": (lambda admin: admin.import_users([], hashing="BCRYPT"), "UserImportHash, got str"),
    "a factor without a number": (lambda admin: admin.create_user(second_factors=["5550100"]), r"E\.164"),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_arguments_are_rejected_before_sending(admin, name):
    call, words = WRONG[name]
    with pytest.raises(UsageError, match=words) as caught:
        call(admin)
    assert SECRET not in str(caught.value)


def test_token_passed_as_uid_is_not_shown(admin):
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9." + "x" * 100
    with pytest.raises(UsageError) as caught:
        admin.get_user(token)
    assert token[:20] not in str(caught.value)


ARGON2 = {"iterations": 1, "memory_cost_kib": 1, "parallelism": 1}
WRONG_HASHES = {
    "a key as text": lambda: UserImportHash.hmac("SHA256", SECRET),
    "an unknown digest": lambda: UserImportHash.hmac("SHA3", b"key"),
    "no rounds": lambda: UserImportHash.digest("SHA1", 0),
    "too many rounds": lambda: UserImportHash.digest("MD5", 8193),
    "rounds that are True": lambda: UserImportHash.digest("MD5", True),
    "too many rounds of PBKDF": lambda: UserImportHash.pbkdf("PBKDF_SHA1", 120_001),
    "an unknown PBKDF": lambda: UserImportHash.pbkdf("PBKDF2_SHA1", 1),
    "too much memory": lambda: UserImportHash.scrypt(b"key", 8, 15),
    "an unknown order": lambda: UserImportHash.digest("SHA1", 1, "BOTH"),
    "an unknown variant": lambda: UserImportHash.argon2("ARGON2", hash_length=4, **ARGON2),
    "a short hash": lambda: UserImportHash.argon2("ARGON2_D", hash_length=3, **ARGON2),
}


@pytest.mark.parametrize("name", WRONG_HASHES)
def test_unknown_hash_parameters_are_rejected(name):
    with pytest.raises(UsageError) as caught:
        WRONG_HASHES[name]()
    assert SECRET not in str(caught.value)


def test_keys_and_salts_are_sent_as_url_safe_base64():
    assert UserImportHash.scrypt(b"\xfb\xff", 8, 14, b"\xff\xff").to_json() == {
        "hashAlgorithm": "SCRYPT",
        "signerKey": "-_8=",
        "rounds": 8,
        "memoryCost": 14,
        "saltSeparator": "__8=",
    }


def test_argon2_parameters_are_nested():
    hashing = UserImportHash.argon2(
        "ARGON2_ID", hash_length=32, iterations=2, memory_cost_kib=1024, parallelism=4, associated_data=b"\xff"
    )
    assert hashing.to_json() == {
        "hashAlgorithm": "ARGON2",
        "argon2Parameters": {
            "hashType": "ARGON2_ID",
            "hashLengthBytes": 32,
            "iterations": 2,
            "memoryCostKib": 1024,
            "parallelism": 4,
            "version": "VERSION_13",
            "associatedData": "_w==",
        },
    }


@pytest.mark.parametrize(
    "value",
    [
        UserRecord.from_json({"localId": "ada", "passwordHash": "c2VjcmV0", "salt": "c2VjcmV0"}),
        ImportUserRecord("ada", password_hash=b"c2VjcmV0", password_salt=b"c2VjcmV0"),
        UserImportHash.hmac("SHA256", b"c2VjcmV0"),
        UserImportHash.scrypt(b"c2VjcmV0", 8, 14, b"c2VjcmV0"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_reprs_hide_hashes_salts_and_keys(value):
    assert "c2VjcmV0" not in repr(value)
    assert "YzJWamNtVjA" not in repr(value)  # nor its base64
    assert pickle.loads(pickle.dumps(value)) == value
    hash(value)
