"""Settings of projects, and tenants, which have their own accounts and settings.

https://cloud.google.com/identity-platform/docs/reference/rest/v2/projects.tenants
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.errors import bad_request, validate
from firebase_rest.emulator.auth.tokens import RefreshToken, decode_claims
from firebase_rest.emulator.auth.validation import is_absolute_url

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import AuthRequest, Body
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json

_EVENTS = {"beforeCreate", "beforeSignIn"}
_GROUPS = ("passwordPolicyConfig", "emailPrivacyConfig")
_FLAGS = ("allowPasswordSignup", "enableEmailLinkSignin", "enableAnonymousUser", "disableAuth")


def token_tenant(id_token: str) -> str | None:
    """Return the tenant of an ID token, or None."""
    claims = decode_claims(id_token)
    firebase = (claims or {}).get("firebase")
    tenant_id = firebase.get("tenant") if isinstance(firebase, dict) else None
    return tenant_id if isinstance(tenant_id, str) and tenant_id else None


def target_tenant(path_tenant: str | None, body: Body) -> str | None:
    """Return the tenant of a request: that in the path, in the body, or of a token in the body.

    Raises `AuthHTTPError` if they differ.
    """
    target, body_tenant = path_tenant, body.string("tenantId") or None
    validate(target is None or body_tenant is None or target == body_tenant, "TENANT_ID_MISMATCH")
    target = target or body_tenant
    if body.string("idToken"):
        tenant = token_tenant(body.string("idToken"))
        validate(target is None or tenant is None or target == tenant, "TENANT_ID_MISMATCH")
        target = target or tenant
    if body.string("refreshToken"):
        token = RefreshToken.decode(body.string("refreshToken"))
        if token is None:
            raise bad_request("INVALID_REFRESH_TOKEN")
        problem = "TENANT_ID_MISMATCH: ((Refresh token tenant ID does not match target tenant ID.))"
        validate(target is None or token.tenant_id is None or target == token.tenant_id, problem)
        target = target or token.tenant_id
    return target


def get_config(request: AuthRequest) -> Payload:
    """GET `v2/projects/P/config`: return the settings."""
    return _copy(request.project.config)


def update_config(request: AuthRequest) -> Payload:
    """PATCH `v2/projects/P/config`: update the fields in `updateMask`, or all without a mask."""
    update = request.body.fields()
    functions = update.get("blockingFunctions")
    triggers = functions.get("triggers") if isinstance(functions, dict) else None
    for event, trigger in (triggers if isinstance(triggers, dict) else {}).items():
        _validate_trigger(event, trigger)
    config = request.project.config
    if request.params.get("updateMask"):
        _apply_mask(request.params["updateMask"], config, update)
    else:
        sign_in, privacy = request.body.object("signIn"), request.body.object("emailPrivacyConfig")
        config["signIn"] = {"allowDuplicateEmails": bool(sign_in and sign_in.boolean("allowDuplicateEmails"))}
        config["blockingFunctions"] = functions or {}
        improved = bool(privacy and privacy.boolean("enableImprovedEmailPrivacy"))
        config["emailPrivacyConfig"] = {"enableImprovedEmailPrivacy": improved}
    return _copy(config)


def _validate_trigger(event: str, trigger: Json) -> None:
    validate(event in _EVENTS, "INVALID_BLOCKING_FUNCTION : ((Event type is invalid.))")
    uri = trigger.get("functionUri") if isinstance(trigger, dict) else None
    problem = "INVALID_BLOCKING_FUNCTION : ((Expected an absolute URI with valid scheme and host.))"
    validate(isinstance(uri, str) and is_absolute_url(uri), problem)


def create_tenant(request: AuthRequest) -> Payload:
    """POST `v2/projects/P/tenants`: create a tenant; settings that are not given are off."""
    return _copy(request.project.add_tenant(_settings(request)))


def update_tenant(request: AuthRequest) -> Payload:
    """PATCH `v2/projects/P/tenants/T`: update the fields in `updateMask`, or all without a mask."""
    tenant = _tenant(request.project)
    if request.params.get("updateMask"):
        _apply_mask(request.params["updateMask"], tenant, request.body.fields())
    else:
        fixed: Payload = {"name": tenant["name"], "tenantId": tenant["tenantId"]}
        tenant.clear()
        tenant.update({**_settings(request), **fixed})
    return _copy(tenant)


def get_tenant(request: AuthRequest) -> Payload:
    """GET `v2/projects/P/tenants/T`: return a tenant. Create it if it does not exist."""
    return _copy(_tenant(request.project))


def delete_tenant(request: AuthRequest) -> Payload:
    """DELETE `v2/projects/P/tenants/T`: delete a tenant and its accounts."""
    parent = request.project.parent
    if parent is not None:
        parent.tenants.pop(request.project.tenant_id or "", None)
    return {}


def list_tenants(request: AuthRequest) -> Payload:
    """GET `v2/projects/P/tenants`: return a page of `pageSize` tenants after `pageToken`, sorted by ID.

    A full page has a token even if it is the last one, as in the official emulator.
    """
    size = request.page_size("pageSize")
    after = request.params.get("pageToken", "")
    page = [tenant_id for tenant_id in sorted(request.project.tenants) if tenant_id > after][:size]
    tenants: list[Json] = [_copy(_tenant(request.project.tenants[tenant_id])) for tenant_id in page]
    return {"tenants": tenants, **({"nextPageToken": page[-1]} if len(page) == size else {})}


def _tenant(project: AuthProject) -> Payload:
    if project.tenant is None:
        raise bad_request("((Can only get tenant on tenant projects.))")
    return project.tenant


def _settings(request: AuthRequest) -> Payload:
    settings: Payload = {name: request.body.boolean(name) or False for name in _FLAGS}
    if request.body.optional_string("displayName") is not None:
        settings["displayName"] = request.body.optional_string("displayName")
    groups = {name: request.body.object(name) for name in _GROUPS}
    settings.update({name: group.fields() for name, group in groups.items() if group})
    factors = request.body.object("mfaConfig")
    settings["mfaConfig"] = {"state": "DISABLED", "enabledProviders": [], **(factors.fields() if factors else {})}
    return settings


def _apply_mask(mask: str, into: Payload, update: Payload) -> None:
    """Copy the fields of a mask such as "a.b,c". Paths that do not exist are ignored."""
    for path in mask.split(","):
        *parents, last = path.split(".")
        source, target = update, into
        for name in parents:
            inner = source.get(name)
            if not isinstance(inner, dict):
                break
            if not isinstance(target.get(name), dict):
                target[name] = {}
            source, target = inner, cast("Payload", target[name])
        if source.get(last) is not None:
            target[last] = source[last]


def _copy(config: Payload) -> Payload:
    return copy.deepcopy(config)
