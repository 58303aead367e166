"""Arguments of Auth methods, validated before anything is sent: links, settings, credentials, tokens."""

from __future__ import annotations

import dataclasses
import pickle
from urllib.parse import quote

import pytest

from firebase_rest.auth.action_codes import (
    ActionCodeSettings,
    ActionLink,
    code_of,
    parse_action_link,
    settings_to_json,
    sign_in_code,
)
from firebase_rest.auth.arguments import normalize_code
from firebase_rest.auth.base import id_token_of
from firebase_rest.auth.mfa import TotpSecret
from firebase_rest.auth.providers import AuthUri, Credential
from firebase_rest.auth.sign_in import SignInMethods
from firebase_rest.errors import MfaRequired, SignInCancelled, UsageError
from support.silent_progress import silent_app

LINK = "https://x.firebaseapp.com/__/auth/action?mode=signIn&oobCode=CODE&apiKey=KEY&lang=fr&continueUrl=http%3A%2F%2Fx"


GOOGLE = "https://www.google.com/url"


def wrapped(name, link, host="https://app.page.link/"):
    return f"{host}?{name}={quote(link, safe='')}"


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        wrapped("link", LINK),
        wrapped("deep_link_id", LINK, "com.example://google/link/"),
        wrapped("link", wrapped("deep_link_id", LINK)),
        wrapped("deep_link_id", wrapped("link", LINK), "com.example://google/link/"),
        "http://localhost/finish?mode=signIn&lang=fr&oobCode=CODE&apiKey=KEY&a=b&continueUrl=http%3A%2F%2Fx",
        f"  {LINK}\n",
        LINK.replace("&", "&amp;"),
        wrapped("q", LINK, "https://www.google.com/url"),
        wrapped("url", LINK, "https://www.google.de/url"),
        wrapped("url", LINK, "https://eur01.safelinks.protection.outlook.com/") + "&amp;data=05%7C01&amp;reserved=0",
        wrapped("q", wrapped("url", wrapped("link", LINK), "https://x.safelinks.protection.outlook.com/"), GOOGLE),
    ],
)
def test_action_link_is_found_in_wrapping_links(link):
    assert parse_action_link(link) == ActionLink("EMAIL_SIGNIN", "CODE", "http://x", "fr", None)
    assert sign_in_code(link) == code_of(link) == "CODE"
    assert SignInMethods.is_sign_in_with_email_link(link)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "no link",
        "https://x/?mode=signIn&oobCode=CODE",
        "https://x/?mode=signIn&apiKey=KEY",
        "https://x/?mode=other&oobCode=CODE&apiKey=KEY",
        "https://[x/?mode=signIn&oobCode=CODE&apiKey=KEY",
        wrapped("q", LINK, "https://example.com/url"),
        wrapped("url", LINK, "https://safelinks.protection.outlook.com.example.com/"),
        wrapped("q", wrapped("q", wrapped("q", wrapped("q", wrapped("q", wrapped("q", LINK, GOOGLE)))))),
    ],
)
def test_other_links_are_not_action_links(link):
    assert parse_action_link(link) is None
    with pytest.raises(UsageError, match="complete link"):
        sign_in_code(link)


def test_other_action_links_do_not_sign_in():
    reset = LINK.replace("signIn", "resetPassword")
    assert not SignInMethods.is_sign_in_with_email_link(reset)
    with pytest.raises(UsageError):
        sign_in_code(reset)
    assert code_of(reset) == "CODE"


def test_code_is_accepted_and_link_without_code_is_rejected():
    assert code_of("CODE") == "CODE"
    with pytest.raises(UsageError, match="an action code"):
        code_of("https://example.com/")


def test_repr_of_action_link_hides_code():
    assert "CODE" not in repr(parse_action_link(LINK))


def test_settings_are_sent_under_firebase_field_names():
    settings = ActionCodeSettings(
        "https://example.com/",
        handle_code_in_app=True,
        ios_bundle_id="com.example.ios",
        ios_app_store_id="123",
        android_package_name="com.example.android",
        android_install_app=False,
        android_minimum_version="12",
        link_domain="example.com",
    )
    assert settings_to_json(settings) == {
        "continueUrl": "https://example.com/",
        "canHandleCodeInApp": True,
        "iOSBundleId": "com.example.ios",
        "iOSAppStoreId": "123",
        "androidPackageName": "com.example.android",
        "androidInstallApp": False,
        "androidMinimumVersion": "12",
        "linkDomain": "example.com",
    }
    assert settings_to_json("https://example.com/") == {"continueUrl": "https://example.com/"}
    assert settings_to_json(None) == {}


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "http://", "http://[", 5, None])
def test_settings_require_http_url(url):
    with pytest.raises(UsageError, match="http"):
        ActionCodeSettings(url)


@pytest.mark.parametrize("more", [{"android_install_app": True}, {"android_minimum_version": "1"}])
def test_android_settings_require_package_name(more):
    with pytest.raises(UsageError, match="android_package_name"):
        ActionCodeSettings("https://example.com/", **more)


# --- identity providers ---


def credential(provider, **tokens):
    return Credential.from_tokens(provider, tokens)


@pytest.mark.parametrize(
    ("provider", "given", "hint"),
    [
        ("google.com", {}, "id_token="),
        ("google.com", {"nonce": "n"}, "id_token="),
        ("twitter.com", {"access_token": "t"}, "oauth_token_secret="),
        ("twitter.com", {"oauth_token_secret": "s"}, "access_token="),
        ("saml.mine", {"id_token": "t"}, "auth_uri"),
        ("google.com", {"id_token": b"t"}, "id_token must be a str"),
        (5, {"id_token": "t"}, "provider_id must be a str"),
    ],
)
def test_invalid_credential_error_names_required_arguments(provider, given, hint):
    with pytest.raises(UsageError, match=hint):
        credential(provider, **given)


def test_repr_of_credential_hides_tokens():
    assert "secret" not in repr(credential("google.com", id_token="secret", nonce="secret"))
    assert "secret" not in repr(credential("google.com", pending_token="secret"))


def test_auth_uri_has_state_and_nonce_and_can_be_stored():
    started = AuthUri.from_uri("google.com", "https://accounts.google.com/o?state=S1&nonce=N1", "session")
    assert (started.state, started.nonce) == ("S1", "N1")
    assert AuthUri(**dataclasses.asdict(started)) == started == pickle.loads(pickle.dumps(started))
    assert "S1" not in repr(started)
    with pytest.raises(dataclasses.FrozenInstanceError):
        started.state = "x"


@pytest.mark.parametrize(
    ("callback", "body"),
    [
        ("https://x/?state=S1&code=c", None),
        ("https://x/#state=S1&id_token=t", None),
        ("https://x/", "state=S1&code=c"),
    ],
)
def test_state_is_read_from_query_fragment_and_body(callback, body):
    AuthUri("google.com", "", "", "S1", None).check_callback(callback, body)


@pytest.mark.parametrize("callback", ["https://x/", "https://x/?state=S2", "https://x/?code=S1", "https://[?state=S1"])
def test_callback_with_wrong_state_is_rejected(callback):
    with pytest.raises(UsageError, match="state"):
        AuthUri("google.com", "", "", "S1", None).check_callback(callback, None)
    AuthUri("saml.mine", "", "", None, None).check_callback(callback, None)


def test_provider_error_raises_sign_in_cancelled_with_reason():
    with pytest.raises(SignInCancelled, match="nicely") as error:
        AuthUri("x", "", "", None, None).check_callback("https://x/?error=access_denied&error_description=nicely", None)
    assert error.value.code == "access_denied"


# --- tokens ---


@pytest.mark.parametrize("wrong", [None, 5, b"token", {"idToken": "secret-token"}])
def test_invalid_token_is_rejected_and_not_shown(wrong):
    with pytest.raises(UsageError) as error:
        id_token_of(wrong)
    assert "secret-token" not in str(error.value)


def test_totp_uri_contains_unusual_period():
    secret = TotpSecret.from_json(
        {"sharedSecretKey": "K", "sessionInfo": "S", "periodSec": 60, "verificationCodeLength": 8}
    )
    assert secret.uri("ada", "App").endswith("?secret=K&issuer=App&algorithm=SHA1&digits=8&period=60")


@pytest.mark.parametrize("code", ["123456", "123 456", " 123 456\n", "123\N{NO-BREAK SPACE}456"])
def test_spaces_in_codes_are_ignored(code):
    assert normalize_code(code) == "123456"


# --- arguments that are rejected before sending ---

RESET = LINK.replace("signIn", "resetPassword")
REQUIRED = MfaRequired("first factor", status=200)
SECRET = "correct horse"
REJECTED = {
    "a reset to no password": (lambda auth: auth.confirm_password_reset(RESET, ""), "new_password must not be empty"),
    "a reset as pyrebase calls it": (
        lambda auth: auth.verify_password_reset_code("CODE", ""),
        "new_password must not be empty",
    ),
    "no new password": (lambda auth: auth.change_password("T", ""), "new_password must not be empty"),
    "no new password by keyword": (
        lambda auth: auth.change_password("T", password=""),
        "new_password must not be empty",
    ),
    "no new address": (lambda auth: auth.change_email("T", ""), "new_email must not be empty"),
    "an attribute in small letters": (
        lambda auth: auth.update_profile("T", delete_attribute="display_name"),
        "DISPLAY_NAME, PHOTO_URL",
    ),
    "one wrong attribute of two": (
        lambda auth: auth.update_profile("T", delete_attribute=["PHOTO_URL", "photoUrl"]),
        "must be one of DISPLAY_NAME",
    ),
    "a number of attributes": (lambda auth: auth.update_profile("T", delete_attribute=5), "must be a list, got int"),
    "a reset link to apply": (lambda auth: auth.apply_action_code(RESET), "confirm_password_reset"),
    "a sign-in link to apply": (lambda auth: auth.apply_action_code(LINK), "sign_in_with_email_link"),
    "no provider to unlink": (lambda auth: auth.unlink("T", ""), "must not be empty"),
    "no provider": (lambda auth: auth.sign_in_with_idp("", id_token="t"), "must not be empty"),
    "settings that must be a dict": (
        lambda auth: auth.send_email_verification("T", settings={"url": "https://x.org"}),
        "class ActionCodeSettings, got dict; or pass the URL",
    ),
    "scopes that are not a list": (
        lambda auth: auth.auth_uri("x.com", "https://x/", scopes=5),
        "scopes must be a list",
    ),
    "parameters that are a list": (
        lambda auth: auth.auth_uri("x.com", "https://x/", parameters=["a"]),
        "parameters must be a dict, got list",
    ),
    "an app proof that is text": (
        lambda auth: auth.send_verification_code("+1", app_proof="token"),
        "app_proof must be a dict, got str",
    ),
    "a TOTP key instead of the enrollment": (
        lambda auth: auth.mfa.enroll_totp("T", SECRET, "123456"),
        "result of start_totp",
    ),
    "a sign-in that is not the error": (
        lambda auth: auth.mfa.send_code({"mfaInfo": []}),
        "the error that the sign-in raised",
    ),
    "a sign-in that is not the error, with an app": (
        lambda auth: auth.mfa.sign_in_with_totp("x", "123456"),
        "MfaRequired",
    ),
    "a factor ID instead of the factor": (
        lambda auth: auth.mfa.send_code(REQUIRED, "id"),
        "one of the error's factors",
    ),
    "a body of another class": (
        lambda auth: auth.finish_sign_in(AuthUri("x.com", "", "S", None, None), "https://x/", {"code": "c"}),
        "post_body must be a str, got dict",
    ),
    "an invalid language": (
        lambda auth: auth.send_email_verification("T", locale=["fr"]),
        "locale must be a language tag",
    ),
    "an unpaired surrogate as refresh token": (
        lambda auth: auth.refresh("\ud800"),
        "refresh_token contains an unpaired surrogate",
    ),
    "an unpaired surrogate as ID token": (
        lambda auth: auth.sign_in_with_idp("google.com", id_token="\ud800"),
        "id_token",
    ),
    "a sign-in result instead of a token": (
        lambda auth: auth.verify_id_token({"idToken": SECRET}),
        r"user\['idToken'\]",
    ),
    "a skew that is text": (lambda auth: auth.verify_id_token("T", clock_skew_seconds="5"), "from 0 to 60"),
    "a cookie of a minute": (lambda auth: auth.create_session_cookie("T", 60), "timedelta or whole seconds from 300"),
    "a cookie of a fraction": (lambda auth: auth.create_session_cookie("T", 3600.5), "whole seconds"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_invalid_arguments_are_rejected_before_sending(name):
    call, words = REJECTED[name]
    with pytest.raises(UsageError, match=words) as caught:
        call(silent_app(projectId="demo").auth())
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("tenant_id", [5, {"idToken": "secret-token"}])
def test_auth_has_optional_tenant(tenant_id):
    with pytest.raises(UsageError, match="tenant_id must be a string or None") as caught:
        silent_app().auth(tenant_id)
    assert "secret-token" not in str(caught.value)


def test_repr_of_auth_shows_tenant():
    assert repr(silent_app().auth()) == "<Auth>"
    assert repr(silent_app().auth("weather")) == "<Auth of tenant weather>"
