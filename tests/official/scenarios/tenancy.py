"""Tenants, and the settings of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from official.scenarios.known_differences import create_user, scenario
from official.transcript import CUSTOM_TOKEN_AUDIENCE, IDENTITY, OWNER, PROJECT, SETTINGS, jwt

if TYPE_CHECKING:
    from official.transcript import Transcript

IN_T1 = "/tenants/t1"


def settings(api: Transcript, verb: str, path: str, **fields: Any) -> Any:
    body = {} if verb in {"GET", "DELETE"} else {"json": fields}
    return api.call(verb, f"{SETTINGS}{path}", headers=OWNER, **body)


@scenario
def users_of_a_tenant(api: Transcript) -> None:
    api.call("DELETE", f"/emulator/v1/projects/{PROJECT}{IN_T1}/accounts")
    api.admin(f"{IN_T1}/accounts", localId="a1", email="ada@example.com", password="secret1", phoneNumber="+15550100")
    api.admin("/accounts", localId="a1", email="ada@example.com")
    api.admin(f"{IN_T1}/accounts:lookup", localId=["a1"])
    api.admin("/accounts:lookup", localId=["a1"])
    api.admin("/accounts:lookup", tenantId="t1", email=["ada@example.com"])
    api.admin(f"{IN_T1}/accounts:lookup", tenantId="t2", localId=["a1"])
    api.admin(f"{IN_T1}/accounts:update", localId="a1", displayName="Ada", customAttributes='{"admin": true}')
    user = api.post("signInWithPassword", tenantId="t1", email="ada@example.com", password="secret1")
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.post("lookup", idToken=user["idToken"])
    api.post("lookup", idToken=user["idToken"], tenantId="t1")
    api.post("lookup", idToken=user["idToken"], tenantId="t2")
    api.post("update", idToken=user["idToken"], photoUrl="http://x/")
    api.refresh(user["refreshToken"])
    api.admin(":createSessionCookie", idToken=user["idToken"], validDuration=3600)
    api.admin(f"{IN_T1}:createSessionCookie", idToken=user["idToken"])
    api.admin(f"{IN_T1}/accounts:sendOobCode", requestType="PASSWORD_RESET", email="ada@example.com")
    api.call("GET", f"/emulator/v1/projects/{PROJECT}{IN_T1}/oobCodes")
    api.emulator("GET", "oobCodes")
    api.call("GET", f"/emulator/v1/projects/{PROJECT}{IN_T1}/verificationCodes")
    link = api.admin(
        f"{IN_T1}/accounts:sendOobCode", requestType="VERIFY_EMAIL", email="ada@example.com", returnOobLink=True
    )
    api.call("GET", "/emulator/action", params=parse_qs(urlsplit(link["oobLink"]).query))
    api.admin(f"{IN_T1}/accounts:batchGet", "GET")
    api.admin("/accounts:batchGet", "GET", tenantId="t1")
    api.admin(f"{IN_T1}/accounts:query", returnUserInfo=False)
    api.admin(f"{IN_T1}/accounts:batchCreate", users=[{"localId": "a2", "tenantId": "t1"}, {"localId": "a3"}])
    api.admin(f"{IN_T1}/accounts:lookup", localId=["a2", "a3"])
    api.admin(f"{IN_T1}/accounts:batchDelete", localIds=["a2", "a3"], force=True)
    api.admin(f"{IN_T1}/accounts:delete", localId="a1")
    create_user(api, tenantId="t1")
    api.post("signUp", tenantId="t1")
    api.post("sendVerificationCode", tenantId="t1", phoneNumber="+15550100")
    api.call("GET", f"{IDENTITY}projects?key=any")
    api.call("DELETE", f"/emulator/v1/projects/{PROJECT}{IN_T1}/accounts")
    api.admin(f"{IN_T1}/accounts:batchGet", "GET")


@scenario
def custom_tokens_of_a_tenant(api: Transcript) -> None:
    claims = {"aud": CUSTOM_TOKEN_AUDIENCE, "uid": "u1", "tenant_id": "t1"}
    api.post("signInWithCustomToken", token=jwt(claims), tenantId="t1")
    api.post("signInWithCustomToken", token=jwt({**claims, "tenant_id": "t2"}), tenantId="t1")
    api.post("signInWithCustomToken", token=jwt({**claims, "tenant_id": None}), tenantId="t1")
    api.post("signInWithCustomToken", token="nonsense", tenantId="t1")
    api.post("signInWithCustomToken", token='{"uid": "u1"}', tenantId="t1")
    api.admin(f"{IN_T1}/accounts:batchDelete", localIds=["u1"], force=True)


@scenario
def administer_tenants(api: Transcript) -> None:
    settings(api, "GET", "/tenants")
    made = settings(api, "POST", "/tenants", displayName="One", allowPasswordSignup=True)
    settings(api, "GET", "/tenants")
    settings(api, "GET", "/tenants?pageSize=1")
    settings(api, "POST", "/tenants", mfaConfig={"state": "ENABLED"}, enableAnonymousUser=True)
    settings(api, "POST", "/tenants", allowPasswordSignup="yes")
    settings(api, "POST", "/tenants", mfaConfig={"state": "PERHAPS"})
    path = f"/tenants/{made['tenantId']}"
    settings(api, "GET", path)
    settings(
        api,
        "PATCH",
        f"{path}?updateMask=displayName,mfaConfig.state",
        displayName="Two",
        mfaConfig={"state": "MANDATORY"},
    )
    settings(api, "PATCH", path, enableEmailLinkSignin=True)
    settings(api, "GET", "/tenants/t9")
    api.admin("/tenants/t9/accounts", localId="a1")
    settings(api, "DELETE", "/tenants/t9")
    settings(api, "DELETE", "/tenants/t9")
    api.admin("/tenants/t9/accounts:lookup", localId=["a1"])
    settings(api, "DELETE", path)
    api.call("GET", f"{SETTINGS}/tenants")
    api.call("GET", f"{SETTINGS}/tenants?key=any")
    settings(api, "PUT", "/tenants/t9")


@scenario
def what_a_tenant_may_forbid(api: Transcript) -> None:
    settings(api, "PATCH", "/tenants/t1", displayName="closed")
    create_user(api, tenantId="t1")
    api.post("signUp", tenantId="t1")
    api.post("signInWithPassword", tenantId="t1", email="a@example.com", password="secret1")
    api.post("signInWithEmailLink", tenantId="t1", email="a@example.com", oobCode="x")
    api.post("sendOobCode", tenantId="t1", requestType="EMAIL_SIGNIN", email="a@example.com")
    api.post("resetPassword", tenantId="t1", oobCode="x")
    settings(api, "PATCH", "/tenants/t1", disableAuth=True)
    create_user(api, tenantId="t1")
    api.post("createAuthUri", tenantId="t1", identifier="a@example.com", continueUri="http://localhost")
    api.admin("/tenants/t1/accounts", localId="a1")
    api.admin("/tenants/t1/accounts:batchGet", "GET")
    api.admin("/tenants/t1/accounts:batchDelete", localIds=["a1"])
    settings(api, "DELETE", "/tenants/t1")


@scenario
def settings_of_a_project(api: Transcript) -> None:
    settings(api, "GET", "/config")
    mask = "signIn.allowDuplicateEmails,emailPrivacyConfig.enableImprovedEmailPrivacy"
    settings(
        api,
        "PATCH",
        f"/config?updateMask={mask}",
        signIn={"allowDuplicateEmails": True},
        emailPrivacyConfig={"enableImprovedEmailPrivacy": True},
    )
    api.emulator("GET", "config")
    settings(api, "PATCH", "/config?updateMask=signIn.nothing", signIn={"allowDuplicateEmails": False})
    functions = {"triggers": {"beforeCreate": {"functionUri": "http://localhost/f"}}}
    settings(api, "PATCH", "/config?updateMask=blockingFunctions", blockingFunctions={"triggers": {"after": {}}})
    broken = {"triggers": {"beforeCreate": {"functionUri": "nowhere"}}}
    settings(api, "PATCH", "/config?updateMask=blockingFunctions", blockingFunctions=broken)
    settings(api, "PATCH", "/config?updateMask=blockingFunctions", blockingFunctions=functions)
    settings(api, "PATCH", "/config", signIn={"allowDuplicateEmails": "no"})
    settings(api, "PATCH", "/config")
    api.call("GET", f"{SETTINGS}/config", params={"key": "any"})


@scenario
def settings_that_neither_emulator_has(api: Transcript) -> None:
    for tenant in ("", "/tenants/t1"):
        for kind in ("defaultSupportedIdpConfigs", "inboundSamlConfigs", "oauthIdpConfigs"):
            settings(api, "GET", f"{tenant}/{kind}")
            settings(api, "POST", f"{tenant}/{kind}")
            for verb in ("GET", "PATCH", "DELETE"):
                settings(api, verb, f"{tenant}/{kind}/one")
    for name in ("getIamPolicy", "setIamPolicy", "testIamPermissions"):
        settings(api, "POST", f"/tenants/t1:{name}")
    settings(api, "POST", "/identityPlatform:initializeAuth")
    api.call("GET", "/identitytoolkit.googleapis.com/v2/defaultSupportedIdps", headers=OWNER)
