"""The outbox: e-mails and text messages that Firebase would have sent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.model import ActionCode, VerificationCode

LIMIT = 1000
"""Maximum number of e-mails, and of text messages. Older ones are deleted."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail that Firebase would have sent.

    Attributes:
        to: The address of the recipient.
        kind: What the link does: `"VERIFY_EMAIL"`, `"PASSWORD_RESET"`, `"EMAIL_SIGNIN"`, `"VERIFY_AND_CHANGE_EMAIL"`
            or, after a change of the address, `"RECOVER_EMAIL"`.
        code: The code in the link, for `apply_action_code` and others.
        link: The link. Opening it in a browser applies the code.
        email: The address of the account.
        new_email: The future address of the account, for `"VERIFY_AND_CHANGE_EMAIL"`; otherwise None.
        sent_at: The time in seconds since the epoch, by the emulator's clock.
        project: The project ID.
        tenant_id: The ID of the tenant; None for a project without tenants.
    """

    to: str
    kind: str
    code: str = field(repr=False)
    link: str = field(repr=False)
    email: str
    new_email: str | None
    sent_at: float
    project: str
    tenant_id: str | None


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text message that Firebase would have sent.

    Attributes:
        to: The phone number of the recipient.
        code: The verification code, six digits.
        session_info: The session of the code, as in the response to the request that created it.
        sent_at: The time in seconds since the epoch, by the emulator's clock.
        project: The project ID.
        tenant_id: The ID of the tenant; None for a project without tenants.
    """

    to: str
    code: str = field(repr=False)
    session_info: str = field(repr=False)
    sent_at: float
    project: str
    tenant_id: str | None


class Outbox:
    """The messages of an emulator."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=LIMIT)
        self._text_messages: deque[TextMessage] = deque(maxlen=LIMIT)

    @property
    def mails(self) -> tuple[Mail, ...]:
        """The e-mails, oldest first."""
        return tuple(self._mails)

    @property
    def text_messages(self) -> tuple[TextMessage, ...]:
        """The text messages, oldest first."""
        return tuple(self._text_messages)

    def add_mail(self, code: ActionCode, project: str, tenant_id: str | None, now: float) -> None:
        """Record the e-mail that contains a code."""
        to = code.new_email or code.email
        kind = code.request_type
        self._mails.append(Mail(to, kind, code.code, code.link, code.email, code.new_email, now, project, tenant_id))

    def add_text_message(self, code: VerificationCode, project: str, tenant_id: str | None, now: float) -> None:
        """Record the text message that contains a code."""
        message = TextMessage(code.phone_number, code.code, code.session_info, now, project, tenant_id)
        self._text_messages.append(message)

    def clear(self) -> None:
        """Delete all messages."""
        self._mails.clear()
        self._text_messages.clear()
