"""Firebase Auth in a box: Identity Toolkit v1 and Secure Token, as the official Auth emulator speaks them.

It answers with the statuses, bodies and error texts of the official emulator, and its tokens are unsigned as there
(https://firebase.google.com/docs/emulator-suite/connect_auth). Where it differs on purpose, it is closer to production
or kinder to a test, and all of it is said here:

- ID tokens expire after an hour by the emulator's clock (`TOKEN_EXPIRED`), and one of another project is
  `INVALID_ID_TOKEN`. The official emulator looks at neither.
- Whatever revokes ID tokens (a new password or e-mail address, `validSince`) revokes refresh tokens too, in the same
  instant: refreshing answers `TOKEN_EXPIRED`. The official emulator goes on serving them.
- `passwordHash` is a salted digest. The official emulator's holds the password itself.
- A request without a body or a content type, a token without the expected claims, and a refresh without fields are
  answered with the code for what is missing. The official emulator answers 500 with the text of a JavaScript error.
- With enumeration protection on, a user cannot change or link an e-mail address by `accounts:update`
  (`OPERATION_NOT_ALLOWED`), and asking for a change to a taken address is a silent 200, both as in production.
- Authenticator apps (TOTP) as a second factor; a bad `mfaPendingCredential` is `INVALID_MFA_PENDING_CREDENTIAL`.
- A provider that Firebase does not know is `INVALID_PROVIDER_ID`, and a mail to what is no address `INVALID_EMAIL` or
  `INVALID_NEW_EMAIL`.
- A password policy, where the settings have one (`passwordPolicyConfig`).
- Pages of identity providers: `createAuthUri` with a `providerId`, and Google's consent page and token exchange with
  PKCE, send the browser back at once, as somebody made up. The official emulator answers 501.
"""

from __future__ import annotations

from firebase_rest.emulator.auth.service import AuthEmulator

__all__ = ["AuthEmulator"]
