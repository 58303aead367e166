"""Password requirements: six characters, or the policy of the project or tenant.

The policy is a setting, `passwordPolicyConfig` in PATCH `v2/projects/P/config?updateMask=passwordPolicyConfig` or in
the settings of a tenant. The official emulator does not support it. https://cloud.google.com/identity-platform/docs/password-policy
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.errors import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.auth.bodies import AuthRequest
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json

SHORTEST, LONGEST = 6, 4096
SYMBOLS = "^$*.[]{}()?\"!@#%&/\\,><':;|_~"
_KINDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "containsLowercaseCharacter": ("a lower case", str.islower),
    "containsUppercaseCharacter": ("an upper case", str.isupper),
    "containsNumericCharacter": ("a numeric", str.isdigit),
    "containsNonAlphanumericCharacter": ("a non-alphanumeric", SYMBOLS.__contains__),
}


@dataclass(frozen=True, slots=True)
class PasswordRequirements:
    """The password policy of a project or tenant. `at_sign_in` means that it applies to existing passwords too."""

    options: Payload
    enforced: bool
    at_sign_in: bool

    @classmethod
    def from_project(cls, project: AuthProject) -> PasswordRequirements:
        settings = project.settings("passwordPolicyConfig")
        versions = settings.get("passwordPolicyVersions")
        newest = _object_or_empty(versions[0] if isinstance(versions, list) and versions else None)
        enforced = settings.get("passwordPolicyEnforcementState") == "ENFORCE"
        options = _object_or_empty(newest.get("customStrengthOptions"))
        return cls(options, enforced, settings.get("forceUpgradeOnSignin") is True)

    def unmet_requirements(self, password: str) -> list[str]:
        """Return the requirements that a password does not meet."""
        shortest = cast("int", self.options.get("minPasswordLength") or SHORTEST)
        longest = cast("int", self.options.get("maxPasswordLength") or LONGEST)
        problems: list[str] = []
        if len(password) < shortest:
            problems.append(f"Password must contain at least {shortest} characters")
        if len(password) > longest:
            problems.append(f"Password may contain at most {longest} characters")
        for option, (words, is_match) in _KINDS.items():
            if self.options.get(option) is True and not any(map(is_match, password)):
                problems.append(f"Password must contain {words} character")
        return problems


def _object_or_empty(value: Json) -> Payload:
    return value if isinstance(value, dict) else {}


def validate_password(project: AuthProject, password: str) -> str:
    """Return a new password. Raises `AuthHTTPError` if it does not meet the requirements of the project."""
    policy = PasswordRequirements.from_project(project)
    if policy.enforced:
        _validate_requirements(policy, password)
    validate(len(password) >= SHORTEST, f"WEAK_PASSWORD : Password should be at least {SHORTEST} characters")
    return password


def validate_password_at_sign_in(project: AuthProject, password: str) -> None:
    """Raise `AuthHTTPError` if the policy applies to existing users and the password does not meet it."""
    policy = PasswordRequirements.from_project(project)
    if policy.enforced and policy.at_sign_in:
        _validate_requirements(policy, password)


def _validate_requirements(policy: PasswordRequirements, password: str) -> None:
    problems = policy.unmet_requirements(password)
    words = f"Missing password requirements: [{', '.join(problems)}]"
    validate(not problems, f"PASSWORD_DOES_NOT_MEET_REQUIREMENTS : {words}")


def get_password_policy(request: AuthRequest) -> Payload:
    """GET `v2/passwordPolicy`: return the policy of the project, or of the tenant `tenantId`."""
    tenant_id = request.params.get("tenantId")
    policy = PasswordRequirements.from_project(request.project.get_tenant(tenant_id) if tenant_id else request.project)
    return {
        "customStrengthOptions": {"minPasswordLength": SHORTEST, "maxPasswordLength": LONGEST, **policy.options},
        "allowedNonAlphanumericCharacters": list(SYMBOLS),
        "enforcementState": "ENFORCE" if policy.enforced else "OFF",
        "forceUpgradeOnSignin": policy.at_sign_in,
        "schemaVersion": 1,
    }
