"""Call forms and results of Auth."""

from __future__ import annotations

import json

import pytest
import requests

import firebase_rest
import pyrebase


def codes(server):
    return requests.get(
        f"http://{server.host}/emulator/v1/projects/{server.emulator.project}/oobCodes", timeout=10
    ).json()["oobCodes"]


def test_sign_up_and_sign_in_return_a_plain_dict(auth, user) -> None:
    for payload in (user, auth.sign_in_with_email_and_password("ada@example.com", "correct horse")):
        assert type(payload) is dict
        assert json.loads(json.dumps(payload)) == payload
        assert {"localId", "idToken", "refreshToken", "expiresIn", "email", "kind"} <= set(payload)
        assert payload["expiresIn"] == "3600"
        assert payload["email"] == "ada@example.com"


def test_arguments_by_keyword(auth) -> None:
    auth.create_user_with_email_and_password(email="a@example.com", password="correct horse")
    assert auth.sign_in_with_email_and_password(email="a@example.com", password="correct horse")["idToken"]
    auth.send_password_reset_email(email="a@example.com")


def test_anonymous_user_has_tokens_and_no_email(auth) -> None:
    payload = auth.sign_in_anonymous()
    assert {"localId", "idToken", "refreshToken", "expiresIn"} <= set(payload)
    assert "email" not in payload


def test_current_user_is_set_by_sign_in_only(auth) -> None:
    assert auth.current_user is None
    auth.create_user_with_email_and_password("ada@example.com", "correct horse")
    assert auth.current_user is None
    payload = auth.sign_in_with_email_and_password("ada@example.com", "correct horse")
    assert auth.current_user == payload
    anonymous = auth.sign_in_anonymous()
    assert auth.current_user == anonymous
    auth.current_user = None
    assert auth.current_user is None


def test_refresh_returns_pyrebases_names(auth, user) -> None:
    payload = auth.refresh(user["refreshToken"])
    assert payload["userId"] == payload["localId"] == user["localId"]
    assert payload["idToken"]
    assert payload["refreshToken"]
    assert payload["expiresIn"] == "3600"


def test_get_account_info_returns_kind_and_users(auth, user) -> None:
    info = auth.get_account_info(user["idToken"])
    assert {"kind", "users"} <= set(info)
    assert info["users"][0]["localId"] == user["localId"]
    assert info["users"][0]["emailVerified"] is False


def test_update_profile_sets_and_clears(auth, user) -> None:
    auth.update_profile(user["idToken"], "Ada", "https://example.com/ada.png")
    account = auth.get_account_info(user["idToken"])["users"][0]
    assert (account["displayName"], account["photoUrl"]) == ("Ada", "https://example.com/ada.png")
    auth.update_profile(user["idToken"], delete_attribute="PHOTO_URL")
    assert "photoUrl" not in auth.get_account_info(user["idToken"])["users"][0]
    auth.update_profile(user["idToken"], display_name="Countess")
    assert auth.get_account_info(user["idToken"])["users"][0]["displayName"] == "Countess"


@pytest.mark.parametrize("keyword", ["new_password", "password", None])
def test_change_password_by_position_and_keyword(auth, user, keyword) -> None:
    if keyword is None:
        payload = auth.change_password(user["idToken"], "battery staple")
    else:
        payload = auth.change_password(user["idToken"], **{keyword: "battery staple"})
    assert payload["idToken"]
    assert auth.sign_in_with_email_and_password("ada@example.com", "battery staple")["localId"] == user["localId"]


@pytest.mark.parametrize("keyword", ["new_email", "email", None])
def test_change_email_by_position_and_keyword(auth, user, keyword) -> None:
    if keyword is None:
        auth.change_email(user["idToken"], "countess@example.com")
    else:
        auth.change_email(user["idToken"], **{keyword: "countess@example.com"})
    assert auth.sign_in_with_email_and_password("countess@example.com", "correct horse")["localId"] == user["localId"]


def test_verify_password_reset_code_sets_the_password(auth, user, server) -> None:
    auth.send_password_reset_email("ada@example.com")
    [code] = [code for code in codes(server) if code["requestType"] == "PASSWORD_RESET"]
    auth.verify_password_reset_code(code["oobCode"], "battery staple")
    assert auth.sign_in_with_email_and_password("ada@example.com", "battery staple")["idToken"]


def test_custom_token_is_a_str_and_signs_in(server, key_file) -> None:
    with pyrebase.initialize_app({**server.config, "serviceAccount": str(key_file)}) as firebase:
        auth = firebase.auth()
        token = auth.create_custom_token("ada", {"level": 7})
        user = auth.sign_in_with_custom_token(token)
    assert isinstance(token, str)
    assert {"idToken", "refreshToken", "expiresIn"} <= user.keys()


def test_send_password_reset_email(auth, user, server) -> None:
    assert auth.send_password_reset_email("ada@example.com")["email"] == "ada@example.com"
    assert [code["email"] for code in codes(server) if code["requestType"] == "PASSWORD_RESET"] == ["ada@example.com"]


def test_send_email_verification(auth, user, server) -> None:
    auth.send_email_verification(user["idToken"])
    [code] = [code for code in codes(server) if code["requestType"] == "VERIFY_EMAIL"]
    assert code["email"] == "ada@example.com"


def test_delete_user_account(auth, user) -> None:
    auth.delete_user_account(user["idToken"])
    with pytest.raises(firebase_rest.AuthError):
        auth.sign_in_with_email_and_password("ada@example.com", "correct horse")


def test_user_session_is_accepted_as_token(auth, db, user) -> None:
    session = auth.session(user)
    db.child("x").set(1, session)
    assert db.child("x").get(session).val() == 1
    assert auth.get_account_info(session)["users"][0]["localId"] == user["localId"]
