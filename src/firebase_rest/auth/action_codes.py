"""The links in Firebase's mails: what is asked for when one is sent, and what is in one that comes back.

https://firebase.google.com/docs/auth/web/passing-state-in-email-actions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.errors import MfaFactor, UsageError

_OPERATIONS = {
    "resetPassword": "PASSWORD_RESET",
    "verifyEmail": "VERIFY_EMAIL",
    "signIn": "EMAIL_SIGNIN",
    "verifyAndChangeEmail": "VERIFY_AND_CHANGE_EMAIL",
    "recoverEmail": "RECOVER_EMAIL",
    "revertSecondFactorAddition": "REVERT_SECOND_FACTOR_ADDITION",
}


@dataclass(frozen=True, slots=True)
class ActionCodeSettings:
    """Where the link in a mail leads. `url` is the page to continue at; its domain must be listed in the console.

    With `handle_code_in_app` the link opens the app, or `url` itself, with the code: a sign-in link needs that.
    `link_domain` is a Hosting domain for the link, instead of the project's own. An Android version or installation
    needs the package's name. Raises `UsageError` for what cannot be.
    """

    url: str
    handle_code_in_app: bool = False
    ios_bundle_id: str | None = None
    ios_app_store_id: str | None = None
    android_package_name: str | None = None
    android_install_app: bool | None = None
    android_minimum_version: str | None = None
    link_domain: str | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"ActionCodeSettings(url={self.url!r}): the page to continue at is an http(s) URL.")
        if self.android_package_name is None and (self.android_install_app or self.android_minimum_version):
            raise UsageError("android_install_app and android_minimum_version need an android_package_name.")

    def fields(self) -> dict[str, Any]:
        """As the wire has them, without those that are not set."""
        fields = {
            "continueUrl": self.url,
            "canHandleCodeInApp": self.handle_code_in_app or None,
            "iOSBundleId": self.ios_bundle_id,
            "iOSAppStoreId": self.ios_app_store_id,
            "androidPackageName": self.android_package_name,
            "androidInstallApp": self.android_install_app,
            "androidMinimumVersion": self.android_minimum_version,
            "linkDomain": self.link_domain,
        }
        return {name: value for name, value in fields.items() if value is not None}


def fields_of(settings: ActionCodeSettings | str | None) -> dict[str, Any]:
    """What goes into the request; a string is the page to continue at."""
    if settings is None:
        return {}
    return (ActionCodeSettings(settings) if isinstance(settings, str) else settings).fields()


@dataclass(frozen=True, slots=True)
class ActionCodeInfo:
    """What a code is for. `operation` is "PASSWORD_RESET", "VERIFY_EMAIL", "EMAIL_SIGNIN", "RECOVER_EMAIL", ...

    `email` is the address that the account will have (None for "EMAIL_SIGNIN"), `previous_email` the one that a change
    replaces, `factor` the second factor that "REVERT_SECOND_FACTOR_ADDITION" takes back.
    """

    operation: str
    email: str | None = None
    previous_email: str | None = None
    factor: MfaFactor | None = None


@dataclass(frozen=True, slots=True)
class ActionLink:
    """A link from a mail, taken apart: the code, what it is for, and where to go on."""

    operation: str
    code: str = field(repr=False)
    continue_url: str | None = None
    language: str | None = None
    tenant_id: str | None = None


def parse_action_link(link: str) -> ActionLink | None:
    """The parts of a link from a mail, which may be wrapped in other links; None for what is no such link."""
    query = _query(_innermost(link))
    operation = _OPERATIONS.get(query.get("mode", ""))
    code = query.get("oobCode")
    if operation is None or not code or not query.get("apiKey"):
        return None
    return ActionLink(operation, code, query.get("continueUrl"), query.get("lang"), query.get("tenantId"))


def code_of(code_or_link: str) -> str:
    """The code itself. Raises `UsageError` for a link that holds none."""
    if "://" not in code_or_link:
        return code_or_link
    link = parse_action_link(code_or_link)
    if link is None:
        raise UsageError("This link holds no action code: it has no mode, oobCode and apiKey.")
    return link.code


def _innermost(link: str) -> str:
    """The link that mobile link services have wrapped, in the order in which Google's SDKs look for it."""
    query = _query(link)
    deep, plain = query.get("deep_link_id", ""), query.get("link", "")
    return _query(deep).get("link") or deep or _query(plain).get("deep_link_id") or plain or link


def _query(url: str) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(urlsplit(url).query))
    except ValueError:
        return {}
