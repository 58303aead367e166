"""What a password must be: six characters, or what the project's policy asks for.

The policy is a setting, `passwordPolicyConfig` in PATCH `v2/projects/P/config?updateMask=passwordPolicyConfig`. The
official emulator has none. https://cloud.google.com/identity-platform/docs/password-policy
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.errors import expect
from firebase_rest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.auth.project import Call, Project, Reply
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
class Policy:
    """What the project asks for. `at_sign_in`: also of passwords that were good before."""

    options: Reply
    enforced: bool
    at_sign_in: bool

    @classmethod
    def of(cls, project: Project) -> Policy:
        settings = _record(project.config.get("passwordPolicyConfig"))
        versions = settings.get("passwordPolicyVersions")
        newest = _record(versions[0] if isinstance(versions, list) and versions else None)
        enforced = settings.get("passwordPolicyEnforcementState") == "ENFORCE"
        return cls(_record(newest.get("customStrengthOptions")), enforced, settings.get("forceUpgradeOnSignin") is True)

    def lacks(self, password: str) -> list[str]:
        """What the password has not, in words."""
        shortest = cast("int", self.options.get("minPasswordLength") or SHORTEST)
        longest = cast("int", self.options.get("maxPasswordLength") or LONGEST)
        problems: list[str] = []
        if len(password) < shortest:
            problems.append(f"Password must contain at least {shortest} characters")
        if len(password) > longest:
            problems.append(f"Password may contain at most {longest} characters")
        for option, (words, is_one) in _KINDS.items():
            if self.options.get(option) is True and not any(map(is_one, password)):
                problems.append(f"Password must contain {words} character")
        return problems


def enforced(options: Mapping[str, int | bool]) -> Reply:
    """The setting that asks for these. Raises `UsageError` for one that Firebase does not know."""
    known = ("minPasswordLength", "maxPasswordLength", *_KINDS)
    for name in options:
        if name not in known:
            raise UsageError(f"password_policy has no {name!r}; what it may ask for is {', '.join(known)}.")
    versions: list[Json] = [{"customStrengthOptions": {**options}}]
    return {"passwordPolicyEnforcementState": "ENFORCE", "passwordPolicyVersions": versions}


def _record(value: Json) -> Reply:
    return value if isinstance(value, dict) else {}


def strong_password(project: Project, password: str) -> str:
    """The password, if it is good enough for the project."""
    policy = Policy.of(project)
    if policy.enforced:
        _expect_met(policy, password)
    expect(len(password) >= SHORTEST, f"WEAK_PASSWORD : Password should be at least {SHORTEST} characters")
    return password


def expect_still_good(project: Project, password: str) -> None:
    """Refuse the sign-in where the policy asks for a better password even of those who have one."""
    policy = Policy.of(project)
    if policy.enforced and policy.at_sign_in:
        _expect_met(policy, password)


def _expect_met(policy: Policy, password: str) -> None:
    problems = policy.lacks(password)
    words = f"Missing password requirements: [{', '.join(problems)}]"
    expect(not problems, f"PASSWORD_DOES_NOT_MEET_REQUIREMENTS : {words}")


def get_password_policy(call: Call) -> Reply:
    """GET `v2/passwordPolicy`: the policy, for whoever is about to choose a password."""
    policy = Policy.of(call.project)
    return {
        "customStrengthOptions": {"minPasswordLength": SHORTEST, "maxPasswordLength": LONGEST, **policy.options},
        "allowedNonAlphanumericCharacters": list(SYMBOLS),
        "enforcementState": "ENFORCE" if policy.enforced else "OFF",
        "forceUpgradeOnSignin": policy.at_sign_in,
        "schemaVersion": 1,
    }
