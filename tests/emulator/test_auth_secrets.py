"""Log lines and reprs contain no password, token, code or key."""

from __future__ import annotations

import json
import logging
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from emulator.accounts import EMAIL, PASSWORD, auth_environment
from firebase_rest import AuthError, MfaRequired
from firebase_rest.emulator import totp_code

NAMES = {
    "idToken", "refreshToken", "refresh_token", "id_token", "access_token", "oobCode", "code", "sessionInfo",
    "mfaPendingCredential", "temporaryProof", "sharedSecretKey", "password", "newPassword", "verificationCode",
    "sessionId", "code_verifier", "oauthIdToken", "nonce", "key",
}  # fmt: skip


def secrets_of(value, name=""):
    """Return every secret in a JSON value or form, by the names of its members."""
    if isinstance(value, dict):
        return {secret for key, item in value.items() for secret in secrets_of(item, key)}
    if isinstance(value, list):
        return {secret for item in value for secret in secrets_of(item, name)}
    return {value} if name in NAMES and isinstance(value, str) and len(value) >= 6 else set()


def members(body):
    text = body.decode() if isinstance(body, bytes) else body or "{}"
    try:
        return json.loads(text)
    except ValueError:
        return dict(parse_qsl(text))


@pytest.fixture
def env(monkeypatch):
    with auth_environment(monkeypatch, app_check="the-app-check-token") as environment:
        yield environment


def browse(uri):
    requests.get(uri, timeout=10)


def everything(env):
    """Run successful and failing calls; return the resulting objects and errors, and the secrets."""
    auth, seen = env.auth, []
    session = env.verified()
    seen += [auth, session, session._tokens, auth.mfa]
    secret = auth.mfa.start_totp(session)
    seen.append(secret)
    auth.mfa.enroll_totp(session, secret, totp_code(secret.key, env.clock()))
    number = auth.send_verification_code("+15550100")
    started = auth.auth_uri("github.com", "https://example.com/back")
    seen.append(started)
    secrets = {secret.key, secret.session_info, number, started.session_id, started.state, session.id_token}
    wrong = [
        lambda: auth.sign_in_with_email_and_password(EMAIL, "a wrong password"),
        lambda: auth.sign_in_with_email_and_password(EMAIL, PASSWORD),
        lambda: auth.sign_in_with_phone_number(number, "1234567"),
        lambda: auth.sign_in_with_idp("google.com", id_token="a-token-of-nobody", nonce="a-raw-nonce"),
        lambda: auth.refresh("a-refresh-token-of-nobody"),
        lambda: auth.get_account_info("an-id-token-of-nobody"),
        lambda: auth.apply_action_code("an-action-code-of-nobody"),
        lambda: auth.confirm_password_reset("an-action-code-of-nobody", "a new password"),
        lambda: auth.finish_sign_in(started, f"https://example.com/back?code=of-nobody&state={started.state}"),
    ]
    for act in wrong:
        with pytest.raises(AuthError) as caught:
            act()
        error = caught.value
        seen += [error, error.args, error.details, error.response, error.request, vars(error.request)]
        if isinstance(error, MfaRequired):
            secrets.add(error.pending_credential)
            auth.mfa.sign_in_with_totp(error, totp_code(secret.key, env.clock()))
    auth.sign_in_with_google("client-id", "client-secret", open_browser=browse)
    auth.change_password(session, "another password")
    return seen, secrets | {session.id_token, session.refresh_token}


def test_logs_and_errors_contain_no_secret(env, caplog):
    with caplog.at_level(logging.DEBUG):
        seen, secrets = everything(env)
    secrets |= {"the-app-check-token", "client-secret", "a-token-of-nobody", "a-raw-nonce", "of-nobody"}
    for request in env.sent:
        secrets |= secrets_of(members(request.body))
        secrets |= secrets_of(dict(parse_qsl(urlsplit(request.url).query)))
    assert len(secrets) > 20
    text = "\n".join([repr(item) + str(item) for item in seen])
    # The emulator is in this process too; ignore the log of its server.
    clients = [record for record in caplog.records if not record.name.startswith(("asyncio", "uvicorn"))]
    logged = "\n".join(record.getMessage() for record in clients)
    assert logged
    assert [secret for secret in secrets if secret in text] == []
    assert [secret for secret in secrets if secret in logged] == []
