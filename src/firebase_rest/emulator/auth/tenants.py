"""Settings of a project, and its tenants, each with accounts and settings of its own.

https://cloud.google.com/identity-platform/docs/reference/rest/v2/projects.tenants
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.errors import bad_request, expect
from firebase_rest.emulator.auth.project import Call, Project, Reply, is_absolute_url
from firebase_rest.emulator.auth.tokens import RefreshToken, decode_jwt

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.transport.wire import Json

PAGE = 20
MAX_PAGE = 1000
_EVENTS = {"beforeCreate", "beforeSignIn"}
_FLAGS = ("allowPasswordSignup", "enableEmailLinkSignin", "enableAnonymousUser", "disableAuth")


def tenant_in(id_token: str) -> str | None:
    """The tenant that an ID token belongs to, if any."""
    claims = decode_jwt(id_token)
    firebase = (claims or {}).get("firebase")
    tenant_id = firebase.get("tenant") if isinstance(firebase, dict) else None
    return tenant_id if isinstance(tenant_id, str) and tenant_id else None


def target_tenant(named: str | None, body: Body) -> str | None:
    """Whose accounts a request is about: the path says it, the body, or a token in it; they must not differ."""
    target, in_body = named, body.text("tenantId") or None
    expect(target is None or in_body is None or target == in_body, "TENANT_ID_MISMATCH")
    target = target or in_body
    if body.text("idToken"):
        in_token = tenant_in(body.text("idToken"))
        expect(target is None or in_token is None or target == in_token, "TENANT_ID_MISMATCH")
        target = target or in_token
    if body.text("refreshToken"):
        token = RefreshToken.decode(body.text("refreshToken"))
        if token is None:
            raise bad_request("INVALID_REFRESH_TOKEN")
        expect(
            target is None or token.tenant_id is None or target == token.tenant_id,
            "TENANT_ID_MISMATCH: ((Refresh token tenant ID does not match target tenant ID.))",
        )
        target = target or token.tenant_id
    return target


def get_config(call: Call) -> Reply:
    """GET `v2/projects/P/config`."""
    return _copy(call.project.config)


def update_config(call: Call) -> Reply:
    """PATCH `v2/projects/P/config`: what `updateMask` names, or without one everything."""
    update = call.body.json()
    functions = update.get("blockingFunctions")
    triggers = functions.get("triggers") if isinstance(functions, dict) else None
    for event, trigger in (triggers if isinstance(triggers, dict) else {}).items():
        _check_trigger(event, trigger)
    config = call.project.config
    if call.params.get("updateMask"):
        _apply(call.params["updateMask"], config, update)
    else:
        sign_in, privacy = call.body.record("signIn"), call.body.record("emailPrivacyConfig")
        config["signIn"] = {"allowDuplicateEmails": bool(sign_in and sign_in.flag("allowDuplicateEmails"))}
        config["blockingFunctions"] = functions or {}
        improved = bool(privacy and privacy.flag("enableImprovedEmailPrivacy"))
        config["emailPrivacyConfig"] = {"enableImprovedEmailPrivacy": improved}
    return _copy(config)


def _check_trigger(event: str, trigger: Json) -> None:
    expect(event in _EVENTS, "INVALID_BLOCKING_FUNCTION : ((Event type is invalid.))")
    uri = trigger.get("functionUri") if isinstance(trigger, dict) else None
    problem = "INVALID_BLOCKING_FUNCTION : ((Expected an absolute URI with valid scheme and host.))"
    expect(isinstance(uri, str) and is_absolute_url(uri), problem)


def create_tenant(call: Call) -> Reply:
    """POST `v2/projects/P/tenants`: what is not allowed expressly is not allowed."""
    return _copy(call.project.add_tenant(_settings(call)))


def update_tenant(call: Call) -> Reply:
    """PATCH `v2/projects/P/tenants/T`: what `updateMask` names, or without one everything."""
    tenant = _tenant(call.project)
    if call.params.get("updateMask"):
        _apply(call.params["updateMask"], tenant, call.body.json())
    else:
        fixed: Reply = {"name": tenant["name"], "tenantId": tenant["tenantId"]}
        tenant.clear()
        tenant.update({**_settings(call), **fixed})
    return _copy(tenant)


def get_tenant(call: Call) -> Reply:
    """GET `v2/projects/P/tenants/T`. Like every tenant that is named, it exists from then on."""
    return _copy(_tenant(call.project))


def delete_tenant(call: Call) -> Reply:
    """DELETE `v2/projects/P/tenants/T`, with its accounts."""
    parent = call.project.parent
    if parent is not None:
        parent.tenants.pop(call.project.tenant_id or "", None)
    return {}


def list_tenants(call: Call) -> Reply:
    """GET `v2/projects/P/tenants`: by their ids, `pageSize` at a time, from `pageToken` on.

    A full page has a token even when it is the last one, as with the official emulator.
    """
    text = call.params.get("pageSize", "")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    size = min(asked or PAGE, MAX_PAGE)
    after = call.params.get("pageToken", "")
    page = [tenant_id for tenant_id in sorted(call.project.tenants) if tenant_id > after][:size]
    tenants: list[Json] = [_copy(_tenant(call.project.tenants[tenant_id])) for tenant_id in page]
    return {"tenants": tenants, **({"nextPageToken": page[-1]} if len(page) == size else {})}


def _tenant(project: Project) -> Reply:
    if project.tenant is None:
        raise bad_request("((Can only get tenant on tenant projects.))")
    return project.tenant


def _settings(call: Call) -> Reply:
    settings: Reply = {name: call.body.flag(name) or False for name in _FLAGS}
    if call.body.given("displayName") is not None:
        settings["displayName"] = call.body.given("displayName")
    factors = call.body.record("mfaConfig")
    settings["mfaConfig"] = {"state": "DISABLED", "enabledProviders": [], **(factors.json() if factors else {})}
    return settings


def _apply(mask: str, into: Reply, update: Reply) -> None:
    """Copy the fields that a mask such as "a.b,c" names. A path that leads nowhere changes nothing."""
    for path in mask.split(","):
        *parents, last = path.split(".")
        source, target = update, into
        for name in parents:
            inner = source.get(name)
            if not isinstance(inner, dict):
                break
            if not isinstance(target.get(name), dict):
                target[name] = {}
            source, target = inner, cast("Reply", target[name])
        if source.get(last) is not None:
            target[last] = source[last]


def _copy(config: Reply) -> Reply:
    return copy.deepcopy(config)
