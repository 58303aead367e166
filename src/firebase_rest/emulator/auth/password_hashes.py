"""Password hashes of this emulator, of the official emulator, and of imported users.

https://firebase.google.com/docs/cli/auth#password_hash_parameters
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from importlib import import_module
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.errors import bad_request, not_implemented, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from firebase_rest.transport.wire import Json

HASH_FIELDS = (
    "hashAlgorithm", "signerKey", "saltSeparator", "rounds", "memoryCost", "cpuMemCost", "parallelization",
    "blockSize", "dkLen", "passwordHashOrder",
)  # fmt: skip
"""The hash parameters of an import, with the API's names."""

_MAX_SCRYPT_WORK = 2**22
"""Maximum product of cost, block size and parallelization, which takes about two seconds."""
_MAX_KEY_LENGTH = 1024
_MAX_BCRYPT_COST = 16
_BCRYPT = re.compile(rb"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES = 72
"""bcrypt uses only this many bytes of a password."""

_LIMITS = {
    "MD5": {"rounds": (0, 8192)},
    "SHA1": {"rounds": (1, 8192)},
    "SHA256": {"rounds": (1, 8192)},
    "SHA512": {"rounds": (1, 8192)},
    "PBKDF_SHA1": {"rounds": (0, 120_000)},
    "PBKDF2_SHA256": {"rounds": (0, 120_000)},
    "SCRYPT": {"rounds": (1, 8), "memoryCost": (1, 14)},
    "STANDARD_SCRYPT": {
        "cpuMemCost": (2, _MAX_SCRYPT_WORK),
        "blockSize": (1, _MAX_SCRYPT_WORK),
        "parallelization": (1, _MAX_SCRYPT_WORK),
        "dkLen": (1, _MAX_KEY_LENGTH),
    },
    "HMAC_MD5": {},
    "HMAC_SHA1": {},
    "HMAC_SHA256": {},
    "HMAC_SHA512": {},
    "BCRYPT": {},
    "ARGON2": {},
}
"""The numeric parameters of each algorithm, and their limits."""


def digest_password(password: str, salt: str) -> str:
    """Return the emulator's own hash of a password. It is fast, because tests create many users, who are not real."""
    digest = hashlib.sha256((salt + password).encode("utf-8", "surrogatepass")).hexdigest()
    return f"fakeHash:salt={salt}:sha256={digest}"


def read_parameters(fields: Mapping[str, Json]) -> dict[str, str]:
    """Return the hash parameters of an import, or {} without an algorithm. Raises `AuthHTTPError` if one is invalid."""
    parameters: dict[str, str] = {}
    for name in HASH_FIELDS:
        value = fields.get(name)
        if isinstance(value, str) and value:
            parameters[name] = value
    algorithm = parameters.get("hashAlgorithm", "")
    if not algorithm:
        return {}
    expected = ", ".join(_LIMITS)
    validate(algorithm in _LIMITS, f"INVALID_HASH_ALGORITHM : expected one of {expected}, got {algorithm[:40]!r}.")
    for name, (lowest, highest) in _LIMITS[algorithm].items():
        number = int(parameters.get(name, "0"))
        problem = f"INVALID_HASH_PARAMETERS : {name} must be from {lowest} to {highest}, got {number}."
        validate(lowest <= number <= highest, problem)
    if algorithm == "STANDARD_SCRYPT":
        _validate_scrypt(parameters)
    needs_key = algorithm == "SCRYPT" or algorithm.startswith("HMAC_")
    validate(parameters.get("signerKey") or not needs_key, f"INVALID_HASH_PARAMETERS : {algorithm} needs a signerKey.")
    return parameters


def _validate_scrypt(parameters: Mapping[str, str]) -> None:
    cost, block_size, lanes = (int(parameters[name]) for name in ("cpuMemCost", "blockSize", "parallelization"))
    is_power_of_two = cost & (cost - 1) == 0
    validate(is_power_of_two, f"INVALID_HASH_PARAMETERS : cpuMemCost must be a power of two, got {cost}.")
    product = "cpuMemCost * blockSize * parallelization"
    problem = f"INVALID_HASH_PARAMETERS : {product} must be at most {_MAX_SCRYPT_WORK}."
    validate(cost * block_size * lanes <= _MAX_SCRYPT_WORK, problem)


def is_password(password: str, stored: str, salt: str, parameters: Mapping[str, str]) -> bool:
    """Return whether `password` has the hash `stored`.

    Args:
        password: The password.
        stored: The hash in base64, or a text that begins with `fakeHash:`.
        salt: The salt, in base64 for an imported user.
        parameters: The result of `read_parameters` for an imported user, or {}.

    Raises:
        AuthHTTPError: 501 if the algorithm needs a package that is not installed.
    """
    if stored.startswith("fakeHash:") or not parameters:
        return stored in {digest_password(password, salt), f"fakeHash:salt={salt}:password={password}"}
    secret, expected = password.encode("utf-8", "surrogatepass"), _decode(stored)
    algorithm = parameters["hashAlgorithm"]
    if algorithm == "BCRYPT":
        return _is_bcrypt(secret, expected)
    if algorithm == "ARGON2":
        raise not_implemented("The emulator cannot verify ARGON2 password hashes.")
    hashes = _HASHES[algorithm](secret, _decode(salt), parameters, len(expected))
    return bool(expected) and any(hmac.compare_digest(value, expected) for value in hashes)


def _decode(text: str) -> bytes:
    """Return the bytes of standard or URL-safe base64 with or without padding, or b"" if it is invalid."""
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4))
    except (binascii.Error, ValueError):
        return b""


def _is_bcrypt(secret: bytes, stored: bytes) -> bool:
    match = _BCRYPT.fullmatch(stored)
    if match is None:
        return False
    if int(match[1]) > _MAX_BCRYPT_COST:
        raise not_implemented(f"BCRYPT hashes with a cost above {_MAX_BCRYPT_COST} take too long to verify.")
    try:
        bcrypt = import_module("bcrypt")  # optional, and not installed by an extra
    except ImportError:
        raise not_implemented("BCRYPT hashes need the package bcrypt: pip install bcrypt.") from None
    try:
        return bool(bcrypt.checkpw(secret[:_BCRYPT_BYTES], stored))
    except ValueError:
        return False


def _salted(secret: bytes, salt: bytes, parameters: Mapping[str, str]) -> Iterable[bytes]:
    """Yield the password and the salt in the order of `passwordHashOrder`, or in both orders without it."""
    order = parameters.get("passwordHashOrder")
    if order != "SALT_AND_PASSWORD":
        yield secret + salt
    if order != "PASSWORD_AND_SALT":
        yield salt + secret


def _hmac(digest: str) -> Callable[[bytes, bytes, Mapping[str, str], int], Iterable[bytes]]:
    def derive(secret: bytes, salt: bytes, parameters: Mapping[str, str], _: int) -> Iterable[bytes]:
        key = _decode(parameters["signerKey"])
        return (hmac.digest(key, text, digest) for text in _salted(secret, salt, parameters))

    return derive


def _repeated(digest: str) -> Callable[[bytes, bytes, Mapping[str, str], int], Iterable[bytes]]:
    def derive(secret: bytes, salt: bytes, parameters: Mapping[str, str], _: int) -> Iterable[bytes]:
        for text in _salted(secret, salt, parameters):
            value = hashlib.new(digest, text).digest()
            for _round in range(int(parameters.get("rounds", "1")) - 1):
                value = hashlib.new(digest, value).digest()
            yield value

    return derive


def _pbkdf2(digest: str) -> Callable[[bytes, bytes, Mapping[str, str], int], Iterable[bytes]]:
    def derive(secret: bytes, salt: bytes, parameters: Mapping[str, str], length: int) -> Iterable[bytes]:
        rounds = max(1, int(parameters.get("rounds", "1")))
        yield hashlib.pbkdf2_hmac(digest, secret, salt, rounds, length or None)

    return derive


def _standard_scrypt(secret: bytes, salt: bytes, parameters: Mapping[str, str], _: int) -> Iterable[bytes]:
    cost, block_size, lanes, length = (
        int(parameters[name]) for name in ("cpuMemCost", "blockSize", "parallelization", "dkLen")
    )
    yield _scrypt(secret, salt, cost, block_size, lanes, length)


def _firebase_scrypt(secret: bytes, salt: bytes, parameters: Mapping[str, str], _: int) -> Iterable[bytes]:
    """Encrypt the signer key of the project with a key that scrypt derives. https://github.com/firebase/scrypt"""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise not_implemented("SCRYPT hashes need the package cryptography: pip install cryptography.") from None
    cost, block_size = 2 ** int(parameters["memoryCost"]), int(parameters["rounds"])
    key = _scrypt(secret, salt + _decode(parameters.get("saltSeparator", "")), cost, block_size, 1, 32)
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    yield cipher.update(_decode(parameters["signerKey"])) + cipher.finalize()


def _scrypt(secret: bytes, salt: bytes, cost: int, block_size: int, lanes: int, length: int) -> bytes:
    memory = 128 * block_size * (cost + lanes + 2) + 1024 * 1024
    try:
        return hashlib.scrypt(secret, salt=salt, n=cost, r=block_size, p=lanes, maxmem=memory, dklen=length)
    except ValueError as error:
        raise bad_request(f"INVALID_HASH_PARAMETERS : {error}") from None


_HASHES: Mapping[str, Callable[[bytes, bytes, Mapping[str, str], int], Iterable[bytes]]] = {
    **{f"HMAC_{name}": _hmac(name.lower()) for name in ("MD5", "SHA1", "SHA256", "SHA512")},
    **{name: _repeated(name.lower()) for name in ("MD5", "SHA1", "SHA256", "SHA512")},
    "PBKDF_SHA1": _pbkdf2("sha1"),
    "PBKDF2_SHA256": _pbkdf2("sha256"),
    "SCRYPT": _firebase_scrypt,
    "STANDARD_SCRYPT": _standard_scrypt,
}
"""For each algorithm a function that returns the possible hashes.

Its arguments are the password, the salt, the parameters and the length of the stored hash."""
