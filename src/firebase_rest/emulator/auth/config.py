"""The settings that a project starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.transport.wire import Json

POLICY_OPTIONS = (
    "minPasswordLength", "maxPasswordLength", "containsLowercaseCharacter", "containsUppercaseCharacter",
    "containsNumericCharacter", "containsNonAlphanumericCharacter",
)  # fmt: skip


def default_config(
    enumeration_protection: bool = False, password_policy: Mapping[str, int | bool] | None = None
) -> Payload:
    """Return the settings of a new project. Raises `UsageError` for an unknown option of the password policy."""
    config: Payload = {
        "signIn": {"allowDuplicateEmails": False},
        "blockingFunctions": {},
        "emailPrivacyConfig": {"enableImprovedEmailPrivacy": enumeration_protection},
    }
    return config if password_policy is None else {**config, "passwordPolicyConfig": _policy_config(password_policy)}


def _policy_config(options: Mapping[str, int | bool]) -> Payload:
    for name in options:
        if name not in POLICY_OPTIONS:
            raise UsageError(f"Unknown password_policy option {name!r}; expected one of {', '.join(POLICY_OPTIONS)}.")
    versions: list[Json] = [{"customStrengthOptions": {**options}}]
    return {"passwordPolicyEnforcementState": "ENFORCE", "passwordPolicyVersions": versions}
