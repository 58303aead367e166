"""A parsed request to Auth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """A request to one operation. `is_admin`: sent by an administrator. `origin`: the URL of the emulator."""

    project: AuthProject
    body: Body
    params: Mapping[str, str]
    is_admin: bool
    origin: str


Operation: TypeAlias = "Callable[[AuthRequest], Payload]"
