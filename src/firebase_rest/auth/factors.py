"""Second factors as administrators write them. https://cloud.google.com/identity-platform/docs/admin/manage-mfa-users"""

from __future__ import annotations

from typing import Any

from firebase_rest.auth.arguments import checked_kind, checked_phone
from firebase_rest.errors import MfaFactor


def new_factor_json(factor: str | MfaFactor) -> dict[str, Any]:
    """A phone number, or a factor with one, that Firebase gives an id."""
    if isinstance(factor, str):
        return {"phoneInfo": checked_phone(factor)}
    checked_kind("A second factor", factor, MfaFactor, ": pass one of a user's, or a phone number")
    named = {} if factor.display_name is None else {"displayName": factor.display_name}
    return {"phoneInfo": checked_phone(factor.phone_number), **named}


def factor_json(factor: str | MfaFactor) -> dict[str, Any]:
    """A factor that an account has, or a phone number to add."""
    fields = new_factor_json(factor)
    if isinstance(factor, MfaFactor):
        more = {"mfaEnrollmentId": factor.id, "enrolledAt": factor.enrolled_at}
        fields |= {name: value for name, value in more.items() if value}
    return fields
