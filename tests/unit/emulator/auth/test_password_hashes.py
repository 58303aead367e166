"""Imported password hashes. The expected hashes were made by Node's crypto module, bcryptjs and firebase/scrypt."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import pytest

from firebase_rest.emulator.auth import AuthEmulator
from firebase_rest.transport.wire import Request

BASE = "http://127.0.0.1:9099/identitytoolkit.googleapis.com/v1/"
PASSWORD = "correct horse"
SALT = "TmFDbCtwZXBwZXI="
KEY = "c2lnbmVyIGtleQ=="
BCRYPT = "JDJiJDA0JE9LS3lhb0p1RUJIVlBWbGpFdkFZWHVTd3BJMXZsdGRGV2JGdlZBUnRHZkpCTm1sVVNlV1F1"

SALT_FIRST = {"passwordHashOrder": "SALT_AND_PASSWORD"}
PASSWORD_FIRST = {"passwordHashOrder": "PASSWORD_AND_SALT"}

HASHES: list[tuple[str, dict[str, Any], str]] = [
    ("HMAC_MD5", PASSWORD_FIRST, "HnmgQjx7B6pHVjv8TOywzw=="),
    ("HMAC_MD5", SALT_FIRST, "Zytc0teV2/27741LnL3slw=="),
    ("HMAC_MD5", {}, "HnmgQjx7B6pHVjv8TOywzw=="),
    ("HMAC_MD5", {}, "Zytc0teV2/27741LnL3slw=="),
    ("HMAC_SHA1", PASSWORD_FIRST, "1gB7OwC+tJp8ustRCmQh/n+KYt4="),
    ("HMAC_SHA256", PASSWORD_FIRST, "AzWBDyVibSEFLMJbMiHY9UxMxDDi7z+sDk94BJca070="),
    ("HMAC_SHA256", SALT_FIRST, "kE2DXvY3Gzw060ZIQLqsxQx4uveMZuqYCEUYoxdDP+Q="),
    (
        "HMAC_SHA512",
        PASSWORD_FIRST,
        "su/6Wt2fdC8LU200lQ40u2IUwG/JxEKGBqSOz9CxbJWa3Zst41xiDUaUGLL7x1xA/a9H2MqtMhHeFKTQ5HT/mQ==",
    ),
    ("MD5", {"rounds": 0, **SALT_FIRST}, "7/6M+WnOVUiZizgP/9WxMw=="),
    ("MD5", {"rounds": 3, **SALT_FIRST}, "rrkUVCmnIlnvdn03Et9uCA=="),
    ("MD5", {"rounds": 1, **PASSWORD_FIRST}, "j/FeJqIFnqtIp70fwdZczA=="),
    ("SHA1", {"rounds": "3", **SALT_FIRST}, "OhSjJbhiaQ9vtQZSB90hSb96Vzo="),
    ("SHA256", {"rounds": 1, **SALT_FIRST}, "AnAoBNdHVZpDhSNx6OKn882uH4FU4YUJhGGegbcmf8I="),
    ("SHA256", {"rounds": 1}, "6u2ysS-l-Gmi6nHAqKvee2POKPxGyzqVNDO6WWEWOz8"),
    (
        "SHA512",
        {"rounds": 3, **SALT_FIRST},
        "UyvTP+GdIoZZcSKwb+/egKYZN9lD+4aC5s7KK6M3O2aCJJluYsqF1fmslYNzbTcTYBvMI2W4/Z4o/CfGhuJ5CQ==",
    ),
    ("PBKDF_SHA1", {"rounds": 1000}, "m3vWmHloNNVBjopqnp0keyOTgpU="),
    ("PBKDF2_SHA256", {"rounds": 100000}, "px/cYbSr0Z9sCaOS5Ra4fc8OdGIoYwmz/6FV47KE6nw="),
    (
        "PBKDF2_SHA256",
        {"rounds": 1000},
        "alGLvLk++UAkv4wjNP/2ajcfrWxRDA/qvRdIUJO624du7RinQGqbvEYtPsLoHOEPwrgt+AkK67R8TR/szE7RyQ==",
    ),
    (
        "STANDARD_SCRYPT",
        {"cpuMemCost": 1024, "blockSize": 8, "parallelization": 16, "dkLen": 64},
        "xl+2CcBZJnSEXbUTGTYU3FaNmm3MFyLajVOY4Rja0lah8tH8n8uXz/PJS72Rf+7n8/RIo8i1ki2N9FT1V2nYXg==",
    ),
    ("SCRYPT", {"memoryCost": 8, "rounds": 4, "saltSeparator": "Bw=="}, "wM04Amqdg9nfmg=="),
]


class Imported:
    """An Auth emulator with one imported user."""

    def __init__(self, user: dict[str, Any], **parameters: Any) -> None:
        self.auth = AuthEmulator("demo-project", lambda: 1_700_000_000.0)
        self.email = "ada@example.com"
        body = {"users": [{"localId": "u", "email": self.email, **user}], **parameters}
        self.status, self.result = self.send("projects/demo-project/accounts:batchCreate", body, admin=True)

    def send(self, path: str, body: dict[str, Any], *, admin: bool = False) -> tuple[int, dict[str, Any]]:
        headers = {"content-type": "application/json", **({"authorization": "Bearer owner"} if admin else {})}
        response = self.auth.handle(Request("POST", BASE + path, (("key", "k"),), headers, json.dumps(body).encode()))
        return response.status, json.loads(response.body)

    def sign_in(self, password: str) -> str:
        """Return "" after a sign-in, otherwise the error message."""
        status, body = self.send("accounts:signInWithPassword", {"email": self.email, "password": password})
        return "" if status == 200 else body["error"]["message"]


@pytest.mark.parametrize(("algorithm", "parameters", "stored"), HASHES)
def test_imported_user_signs_in_with_the_password(algorithm: str, parameters: dict[str, Any], stored: str) -> None:
    imported = Imported({"passwordHash": stored, "salt": SALT}, hashAlgorithm=algorithm, signerKey=KEY, **parameters)
    assert imported.result["error"] == []
    assert imported.sign_in("correct Horse") == "INVALID_PASSWORD"
    assert imported.sign_in(PASSWORD) == ""
    assert imported.sign_in(PASSWORD) == ""


def test_order_of_password_and_salt_is_kept() -> None:
    imported = Imported(
        {"passwordHash": "HnmgQjx7B6pHVjv8TOywzw==", "salt": SALT},
        hashAlgorithm="HMAC_MD5",
        signerKey=KEY,
        **SALT_FIRST,
    )
    assert imported.sign_in(PASSWORD) == "INVALID_PASSWORD"


def test_firebase_scrypt_as_documented_by_firebase() -> None:
    imported = Imported(
        {
            "passwordHash": "lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==",
            "salt": "42xEC-ixf3L2lw==",
        },
        hashAlgorithm="SCRYPT",
        signerKey="jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
        saltSeparator="Bw==",
        rounds=8,
        memoryCost=14,
    )
    assert imported.sign_in("user1password") == ""
    assert imported.sign_in("user2password") == "INVALID_PASSWORD"


def test_bcrypt_hash_is_verified_by_the_package() -> None:
    pytest.importorskip("bcrypt")
    imported = Imported({"passwordHash": BCRYPT}, hashAlgorithm="BCRYPT")
    assert imported.sign_in("wrong") == "INVALID_PASSWORD"
    assert imported.sign_in("x" * 100) == "INVALID_PASSWORD"
    assert imported.sign_in(PASSWORD) == ""


@pytest.mark.parametrize(
    ("algorithm", "package", "stored"),
    [("BCRYPT", "bcrypt", BCRYPT), ("SCRYPT", "cryptography.hazmat.primitives.ciphers", "aGFzaA==")],
)
def test_missing_package_is_reported(
    monkeypatch: pytest.MonkeyPatch, algorithm: str, package: str, stored: str
) -> None:
    imported = Imported(
        {"passwordHash": stored, "salt": SALT}, hashAlgorithm=algorithm, signerKey=KEY, rounds=1, memoryCost=1
    )
    monkeypatch.setitem(sys.modules, package, None)
    name = package.partition(".")[0]
    assert imported.sign_in(PASSWORD) == f"{algorithm} hashes need the package {name}: pip install {name}."


@pytest.mark.parametrize("stored", ["$2b$31$" + "a" * 53, "$2b$04$short", "$1$x", ""])
def test_unusable_bcrypt_hash_never_signs_in(stored: str) -> None:
    encoded = base64.b64encode(stored.encode()).decode()
    imported = Imported({"passwordHash": encoded or "="}, hashAlgorithm="BCRYPT")
    assert imported.sign_in(PASSWORD) != ""


@pytest.mark.parametrize(
    "parameters", [{}, {"hashAlgorithm": "SCRYPT", "signerKey": KEY, "rounds": 8, "memoryCost": 14}]
)
def test_user_of_the_official_emulator_signs_in(parameters: dict[str, Any]) -> None:
    stored = f"fakeHash:salt=fakeSaltX:password={PASSWORD}"
    imported = Imported({"passwordHash": stored, "salt": "fakeSaltX"}, **parameters)
    assert imported.sign_in(PASSWORD) == ""
    assert imported.sign_in("correct") == "INVALID_PASSWORD"


def test_hash_without_an_algorithm_never_signs_in() -> None:
    imported = Imported({"passwordHash": "aGFzaA==", "salt": SALT})
    assert imported.sign_in("hash") == "INVALID_PASSWORD"


@pytest.mark.parametrize("stored", ["!!!!", "a", "é", "AAAA"])
@pytest.mark.parametrize("algorithm", ["MD5", "HMAC_SHA1", "PBKDF2_SHA256", "BCRYPT"])
def test_malformed_hash_never_signs_in(algorithm: str, stored: str) -> None:
    imported = Imported({"passwordHash": stored, "salt": "?"}, hashAlgorithm=algorithm, signerKey="%", rounds=1)
    assert imported.sign_in(PASSWORD) == "INVALID_PASSWORD"


def test_new_password_replaces_the_imported_hash() -> None:
    imported = Imported({"passwordHash": "7/6M+WnOVUiZizgP/9WxMw==", "salt": SALT}, hashAlgorithm="MD5", rounds=1)
    imported.send("projects/demo-project/accounts:update", {"localId": "u", "password": "battery staple"}, admin=True)
    assert imported.sign_in("battery staple") == ""
    assert imported.sign_in(PASSWORD) == "INVALID_PASSWORD"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"hashAlgorithm": "ROT13"}, "INVALID_HASH_ALGORITHM"),
        ({"hashAlgorithm": "HMAC_SHA256"}, "INVALID_HASH_PARAMETERS"),
        ({"hashAlgorithm": "SHA1"}, "INVALID_HASH_PARAMETERS"),
        ({"hashAlgorithm": "PBKDF2_SHA256", "rounds": 10**9}, "INVALID_HASH_PARAMETERS"),
        ({"hashAlgorithm": "SCRYPT", "signerKey": KEY, "rounds": 9, "memoryCost": 14}, "INVALID_HASH_PARAMETERS"),
        ({"hashAlgorithm": "SCRYPT", "signerKey": KEY, "rounds": 8, "memoryCost": 40}, "INVALID_HASH_PARAMETERS"),
        (
            {"hashAlgorithm": "STANDARD_SCRYPT", "cpuMemCost": 1000, "blockSize": 8, "parallelization": 1, "dkLen": 64},
            "INVALID_HASH_PARAMETERS",
        ),
        (
            {
                "hashAlgorithm": "STANDARD_SCRYPT",
                "cpuMemCost": 2**21,
                "blockSize": 2**21,
                "parallelization": 1,
                "dkLen": 64,
            },
            "INVALID_HASH_PARAMETERS",
        ),
    ],
)
def test_invalid_hash_parameters_are_rejected(parameters: dict[str, Any], code: str) -> None:
    imported = Imported({"passwordHash": "aGFzaA==", "salt": SALT}, **parameters)
    assert imported.status == 400
    assert imported.result["error"]["message"].startswith(f"{code} : ")
    assert imported.sign_in(PASSWORD) == "EMAIL_NOT_FOUND"
