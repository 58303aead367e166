"""Links of action emails: the settings of a new link, and functions that parse an opened link.

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
_OTHER_METHODS = {
    "PASSWORD_RESET": "confirm_password_reset(link, new_password)",
    "EMAIL_SIGNIN": "sign_in_with_email_link(email, link)",
}
"""Methods for links that need more than `apply_action_code`."""
_STRING_FIELDS = ("ios_bundle_id", "ios_app_store_id", "android_package_name", "android_minimum_version", "link_domain")
_MAX_NESTED_LINKS = 5


@dataclass(frozen=True, slots=True)
class ActionCodeSettings:
    """Where the link of an action email leads.

    Args:
        url: The page to continue at. The console must list its domain as authorized.
        handle_code_in_app: Whether the link opens the app, or `url` itself, with the code. Sign-in links require it.
        ios_bundle_id: The iOS app to open.
        ios_app_store_id: Its App Store ID.
        android_package_name: The Android app to open.
        android_install_app: Whether to install the Android app if it is missing.
        android_minimum_version: The lowest version of the Android app that can open the link.
        link_domain: A Hosting domain for the link, in place of the project's.

    Raises:
        UsageError: A value is invalid, or an Android setting has no package name.
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
        if not _is_web_url(self.url):
            raise UsageError(f"url must be an http(s) URL, got {describe(self.url)}.")
        validate_bool("handle_code_in_app", self.handle_code_in_app)
        optional(validate_bool, "android_install_app", self.android_install_app)
        for name in _STRING_FIELDS:
            optional(validate_str, name, getattr(self, name))
        if self.android_package_name is None and (self.android_install_app or self.android_minimum_version):
            raise UsageError("android_install_app and android_minimum_version require android_package_name.")

    def to_json(self) -> dict[str, Any]:
        """Return the fields of Identity Toolkit that are set."""
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


def settings_to_json(settings: ActionCodeSettings | str | None) -> dict[str, Any]:
    """Return the fields of a request. A string is the URL to continue at."""
    if settings is None:
        return {}
    if isinstance(settings, str):
        settings = ActionCodeSettings(settings)
    return validate_instance("settings", settings, ActionCodeSettings, "or pass the URL to continue at").to_json()


def sign_in_settings_to_json(settings: ActionCodeSettings | str) -> dict[str, Any]:
    """Return the fields of a request for a sign-in link."""
    fields = settings_to_json(settings)
    if not fields:
        raise UsageError("settings must contain url; pass the URL of the page that opens after the sign-in.")
    return {**fields, "canHandleCodeInApp": True}


@dataclass(frozen=True, slots=True)
class ActionCodeInfo:
    """The purpose of an action code. `Auth.check_action_code` returns it.

    Attributes:
        operation: "PASSWORD_RESET", "VERIFY_EMAIL", "EMAIL_SIGNIN", "RECOVER_EMAIL", "VERIFY_AND_CHANGE_EMAIL" or
            "REVERT_SECOND_FACTOR_ADDITION".
        email: The address that the account will have; None for "EMAIL_SIGNIN".
        previous_email: The address that a change replaces.
        factor: The second factor that "REVERT_SECOND_FACTOR_ADDITION" removes.
    """

    operation: str
    email: str | None = None
    previous_email: str | None = None
    factor: MfaFactor | None = None


@dataclass(frozen=True, slots=True)
class ActionLink:
    """A parsed link of an action email."""

    operation: str
    code: str = field(repr=False)
    continue_url: str | None = None
    language: str | None = None
    tenant_id: str | None = None


def parse_action_link(link: str) -> ActionLink | None:
    """Return the parsed link of an action email, also from inside a link of a mail scanner; None for other links."""
    query = _split_url(_unwrap(link))[2]
    operation = _OPERATIONS.get(query.get("mode", ""))
    code = query.get("oobCode")
    if operation is None or not code or not query.get("apiKey"):
        return None
    return ActionLink(operation, code, query.get("continueUrl"), query.get("lang"), query.get("tenantId"))


def code_of(code_or_link: str) -> str:
    """Return the code in a link, or the code itself. Raises `UsageError` for a link without a code."""
    if "://" not in validate_str("code", code_or_link):
        return code_or_link
    link = parse_action_link(code_or_link)
    if link is None:
        raise UsageError("The link must contain an action code: the parameters mode, oobCode and apiKey.")
    return link.code


def code_to_apply(code_or_link: str) -> str:
    """Return the code for `apply_action_code`. Raises `UsageError` for a link that it cannot apply."""
    code = code_of(code_or_link)
    link = parse_action_link(code_or_link)
    method = None if link is None else _OTHER_METHODS.get(link.operation)
    if method is not None:
        raise UsageError(f"apply_action_code() cannot apply this link; use {method}.")
    return code


def sign_in_code(link: object) -> str:
    """Return the code of a sign-in link. Raises `UsageError` for any other link."""
    parsed = parse_action_link(validate_str("link", link))
    if parsed is None or parsed.operation != "EMAIL_SIGNIN":
        raise UsageError("link must be a sign-in link; pass the complete link that the user opened.")
    return parsed.code


def _unwrap(link: str) -> str:
    """Return the innermost link that can be found without sending a request."""
    for _ in range(_MAX_NESTED_LINKS):
        wrapped = _wrapped_link(link)
        if not wrapped:
            break
        link = wrapped
    return link


def _wrapped_link(link: str) -> str | None:
    host, path, query = _split_url(link)
    # Links that open a mobile app have one of these parameters. Google's SDKs read them in this order.
    wrapped = query.get("deep_link_id") or query.get("link")
    if host.startswith("www.google.") and path == "/url":
        wrapped = query.get("q") or query.get("url")
    elif host.endswith(".safelinks.protection.outlook.com"):
        wrapped = query.get("url")
    return wrapped


def _split_url(url: str) -> tuple[str, str, Mapping[str, str]]:
    """Return the host, path and query of a URL. They are empty if the URL is malformed."""
    try:
        # A link that was copied from the source of an email contains HTML entities.
        parts = urlsplit(url.strip().replace("&amp;", "&"))
        return parts.hostname or "", parts.path, dict(parse_qsl(parts.query))
    except ValueError:
        return "", "", {}


def _is_web_url(url: object) -> bool:
    try:
        parts = urlsplit(validate_str("url", url))
    except ValueError:  # an unbalanced bracket, or not a str
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
