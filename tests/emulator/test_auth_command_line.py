"""The operations of API version 3 that the Firebase command line uses to export and import users."""

from __future__ import annotations

import pytest
import requests

from support.waiting import LIMIT

OWNER = {"Authorization": "Bearer owner"}
SCRYPT = {"hashAlgorithm": "SCRYPT", "signerKey": "a2V5", "saltSeparator": "Bw==", "rounds": "8", "memoryCost": "14"}
V3 = "identitytoolkit/v3/relyingparty"


@pytest.fixture(params=["", "www.googleapis.com/"], ids=["without host", "with host"])
def call(server, request):
    """Send an operation of version 3 to `demo-test`, as an administrator."""

    def send(operation, headers=OWNER, **body):
        url = f"http://{server.host}/{request.param}{V3}/{operation}"
        return requests.post(url, json={"targetProjectId": "demo-test", **body}, headers=headers, timeout=LIMIT)

    return send


def test_uploaded_users_are_downloaded_in_pages(call):
    users = [{"localId": f"u{number}", "email": f"u{number}@example.com"} for number in range(5)]
    assert call("uploadAccount", users=users).json() == {"kind": "identitytoolkit#UploadAccountResponse"}
    assert len(call("uploadAccount", users=users).json()["error"]) == 5
    first = call("downloadAccount", maxResults=3).json()
    assert [user["localId"] for user in first["users"]] == ["u0", "u1", "u2"]
    second = call("downloadAccount", maxResults=3, nextPageToken=first["nextPageToken"]).json()
    assert [user["localId"] for user in second["users"]] == ["u3", "u4"]
    assert "nextPageToken" not in second


def test_only_scrypt_hashes_have_the_version_that_is_exported(call):
    call("uploadAccount", users=[{"localId": "a", "passwordHash": "aGFzaA==", "salt": "c2FsdA=="}], **SCRYPT)
    call("uploadAccount", users=[{"localId": "b", "passwordHash": "aGFzaA=="}], hashAlgorithm="BCRYPT")
    call("uploadAccount", users=[{"localId": "c", "rawPassword": "correct horse"}])
    users = call("downloadAccount").json()["users"]
    assert [user.get("version") for user in users] == [0, None, None]
    assert users[0]["passwordHash"] == "aGFzaA=="


def test_sign_out_revokes_tokens(call, server):
    keys = {"key": "any"}
    accounts = f"http://{server.host}/identitytoolkit.googleapis.com/v1/accounts"
    user = requests.post(f"{accounts}:signUp", params=keys, json={}, timeout=LIMIT).json()
    assert call("signOutUser", localId=user["localId"]).json() == {"localId": user["localId"]}
    refresh = {"grant_type": "refresh_token", "refresh_token": user["refreshToken"]}
    token = f"http://{server.host}/securetoken.googleapis.com/v1/token"
    response = requests.post(token, params=keys, data=refresh, timeout=LIMIT)
    assert response.json()["error"]["message"] == "TOKEN_EXPIRED"
    assert call("signOutUser", localId="nobody").json()["error"]["message"] == "USER_NOT_FOUND"


@pytest.mark.parametrize("operation", ["uploadAccount", "downloadAccount", "signOutUser"])
def test_administrator_and_project_are_required(call, operation):
    body = {"users": [{"localId": "x"}], "localId": "x"}
    assert call(operation, headers={}, **body).status_code == 403
    assert call(operation, headers={"Authorization": "Bearer x.y.z"}, **body).status_code == 401
    missing = call(operation, targetProjectId="", **body)
    assert missing.json()["error"]["message"] == "INSUFFICIENT_PERMISSION"


def test_refresh_token_of_the_command_line_becomes_an_administrators_token(server):
    url = f"http://{server.host}/oauth2/v3/token"
    form = {"refresh_token": (None, "1//x"), "grant_type": (None, "refresh_token")}
    granted = requests.post(url, files=form, timeout=LIMIT).json()
    url = f"http://{server.host}/cloudresourcemanager.googleapis.com/v1/projects/demo-test:testIamPermissions"
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    body = {"permissions": ["firebase.projects.get"]}
    assert requests.post(url, json=body, headers=headers, timeout=LIMIT).json() == body
