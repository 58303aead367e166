"""The e-mails and text messages that the emulator records instead of sending them."""

from __future__ import annotations

import dataclasses

import pytest
import requests

from emulator.accounts import EMAIL, auth_environment
from emulator.wire import LIMIT
from firebase_rest.emulator import Mail

NUMBER = "+15550100"


@pytest.fixture
def env(monkeypatch):
    with auth_environment(monkeypatch) as environment:
        yield environment


@pytest.fixture
def sent(env):
    return env.server.emulator.auth


def test_mails_are_listed_in_the_order_of_sending(env, sent):
    session = env.someone()
    assert sent.mails == ()
    env.auth.send_email_verification(session)
    env.auth.send_password_reset_email(EMAIL)
    env.auth.send_sign_in_link_to_email(EMAIL, "https://example.com/finish")
    assert [(mail.kind, mail.to) for mail in sent.mails] == [
        ("VERIFY_EMAIL", EMAIL),
        ("PASSWORD_RESET", EMAIL),
        ("EMAIL_SIGNIN", EMAIL),
    ]
    assert "continueUrl=https" in sent.mails[-1].link


def test_code_and_link_of_a_mail_work(env, sent):
    session = env.someone()
    env.auth.send_password_reset_email(EMAIL)
    env.auth.confirm_password_reset(sent.mails[-1].code, "battery staple")
    env.auth.sign_in_with_email_and_password(EMAIL, "battery staple")
    session = env.auth.session(env.auth.sign_in_with_email_and_password(EMAIL, "battery staple"))
    env.auth.send_email_verification(session)
    assert requests.get(sent.mails[-1].link, timeout=LIMIT).json()["authEmulator"]["email"] == EMAIL


def test_message_for_a_new_address_is_sent_to_it(env, sent):
    session = env.someone()
    env.auth.verify_before_change_email(session, "new@example.com")
    mail = sent.mails[-1]
    assert (mail.kind, mail.to, mail.email, mail.new_email) == (
        "VERIFY_AND_CHANGE_EMAIL",
        "new@example.com",
        EMAIL,
        "new@example.com",
    )
    assert (mail.project, mail.tenant_id, mail.sent_at) == ("demo-project", None, pytest.approx(env.clock(), abs=60))


def test_change_of_address_sends_a_mail_to_the_old_one(env, sent):
    session = env.someone()
    env.auth.change_email(session, "new@example.com")
    assert (sent.mails[-1].kind, sent.mails[-1].to) == ("RECOVER_EMAIL", EMAIL)


def test_link_for_an_administrator_is_not_mailed(env, sent):
    env.someone()
    url = f"http://{env.server.host}/identitytoolkit.googleapis.com/v1/projects/demo-project/accounts:sendOobCode"
    body = {"requestType": "PASSWORD_RESET", "email": EMAIL, "returnOobLink": True}
    response = requests.post(url, json=body, headers={"Authorization": "Bearer owner"}, timeout=LIMIT)
    assert response.json()["oobLink"]
    assert sent.mails == ()


def test_text_messages_are_listed(env, sent):
    env.auth.send_verification_code(NUMBER, recaptcha_token="any")
    message = sent.sms[-1]
    assert message.to == NUMBER
    assert len(message.code) == 6
    user = env.auth.sign_in_with_phone_number(message.session_info, message.code)
    assert user["phoneNumber"] == NUMBER


def test_messages_are_frozen_and_do_not_show_codes(env, sent):
    env.someone()
    env.auth.send_password_reset_email(EMAIL)
    [mail] = sent.mails
    assert isinstance(mail, Mail)
    assert mail.code not in repr(mail)
    with pytest.raises(dataclasses.FrozenInstanceError):
        mail.to = "x"


def test_reset_deletes_messages(env, sent):
    env.someone()
    env.auth.send_password_reset_email(EMAIL)
    env.auth.send_verification_code(NUMBER, recaptcha_token="any")
    env.server.emulator.reset()
    assert sent.mails == sent.sms == ()


def test_only_the_newest_messages_and_codes_are_kept(env, sent, monkeypatch):
    monkeypatch.setattr("firebase_rest.emulator.bounded_dict.DEFAULT_LIMIT", 3)
    env.someone()
    for _ in range(5):
        env.auth.send_password_reset_email(EMAIL)
    url = f"http://{env.server.host}/emulator/v1/projects/demo-project/oobCodes"
    codes = [code["oobCode"] for code in requests.get(url, timeout=LIMIT).json()["oobCodes"]]
    assert codes == [mail.code for mail in sent.mails[-3:]]
