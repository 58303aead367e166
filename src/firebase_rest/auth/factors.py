"""Second factors as administrators write them. https://cloud.google.com/identity-platform/docs/admin/manage-mfa-users"""

from __future__ import annotations

from typing import Any

from firebase_rest.auth.arguments import optional, validate_phone
from firebase_rest.errors import MfaFactor
from firebase_rest.transport.arguments import validate_instance, validate_str


def new_factor_json(factor: str | MfaFactor) -> dict[str, Any]:
    """A phone number, or a factor with one, that Firebase gives an id."""
    if isinstance(factor, str):
        return {"phoneInfo": validate_phone("a second factor", factor)}
    validate_instance("a second factor", factor, MfaFactor, "pass one of the user's factors, or a phone number")
    name = optional(validate_str, "display_name", factor.display_name)
    named = {} if name is None else {"displayName": name}
    return {"phoneInfo": validate_phone("phone_number", factor.phone_number), **named}


def factor_json(factor: str | MfaFactor) -> dict[str, Any]:
    """A factor that an account has, or a phone number to add."""
    fields = new_factor_json(factor)
    if isinstance(factor, MfaFactor):
        more = {"mfaEnrollmentId": factor.id, "enrolledAt": factor.enrolled_at}
        fields |= {name: validate_str(name, value) for name, value in more.items() if value is not None and value != ""}
    return fields
