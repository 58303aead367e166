"""The links in Firebase's mails: what is asked for when one is sent, and what is in one that comes back.

https://firebase.google.com/docs/auth/web/passing-state-in-email-actions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.auth.arguments import optional
from firebase_rest.errors import MfaFactor, UsageError
from firebase_rest.transport.arguments import describe, validate_bool, validate_instance, validate_str

_OPERATIONS = {
    "resetPassword": "PASSWORD_RESET",
    "verifyEmail": "VERIFY_EMAIL",
    "signIn": "EMAIL_SIGNIN",
    "verifyAndChangeEmail": "VERIFY_AND_CHANGE_EMAIL",
    "recoverEmail": "RECOVER_EMAIL",
    "revertSecondFactorAddition": "REVERT_SECOND_FACTOR_ADDITION",
}
_OTHERWISE = {
    "PASSWORD_RESET": "confirm_password_reset(link, new_password)",
    "EMAIL_SIGNIN": "sign_in_with_email_link(email, link)",
}
"""Where a link goes that does more than what applying it does."""
_MOST_WRAPPINGS = 5
_STRINGS = ("ios_bundle_id", "ios_app_store_id", "android_package_name", "android_minimum_version", "link_domain")


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
        if not _is_page(self.url):
            raise UsageError(f"url must be an http(s) URL, got {describe(self.url)}.")
        validate_bool("handle_code_in_app", self.handle_code_in_app)
        optional(validate_bool, "android_install_app", self.android_install_app)
        for name in _STRINGS:
            optional(validate_str, name, getattr(self, name))
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
    if isinstance(settings, str):
        settings = ActionCodeSettings(settings)
    return validate_instance("settings", settings, ActionCodeSettings, "or pass the URL to continue at").fields()


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
    query = _taken_apart(_innermost(link))[2]
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


def code_to_apply(code_or_link: str) -> str:
    """The code itself. Raises `UsageError` for a link whose code needs more than to be sent back."""
    code = code_of(code_or_link)
    link = parse_action_link(code_or_link)
    method = None if link is None else _OTHERWISE.get(link.operation)
    if method is not None:
        raise UsageError(f"This link is not one to apply: pass it to {method}.")
    return code


def _innermost(link: str) -> str:
    """The link that others are wrapped around, as far as that can be seen without asking anybody."""
    for _ in range(_MOST_WRAPPINGS):
        inside = _wrapped_in(link)
        if not inside:
            break
        link = inside
    return link


def _wrapped_in(link: str) -> str | None:
    host, path, query = _taken_apart(link)
    # Of mobile link services, in the order in which Google's SDKs look.
    inside = query.get("deep_link_id") or query.get("link")
    if host.startswith("www.google.") and path == "/url":
        inside = query.get("q") or query.get("url")
    elif host.endswith(".safelinks.protection.outlook.com"):
        inside = query.get("url")
    return inside


def _taken_apart(url: str) -> tuple[str, str, Mapping[str, str]]:
    """Host, path and query; nothing of what is no URL."""
    try:
        # Copied out of a mail's source, it is written as HTML is.
        parts = urlsplit(url.strip().replace("&amp;", "&"))
        return parts.hostname or "", parts.path, dict(parse_qsl(parts.query))
    except ValueError:
        return "", "", {}


def _is_page(url: object) -> bool:
    try:
        parts = urlsplit(validate_str("url", url))
    except ValueError:  # a bracket without its partner, or not even a str
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
