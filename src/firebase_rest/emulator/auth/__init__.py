"""The Auth emulator: Identity Toolkit v1 and v2, and Secure Token.

Statuses, bodies and error messages are those of the official Auth emulator. As in the official emulator, tokens are
unsigned (https://firebase.google.com/docs/emulator-suite/connect_auth). Deliberate differences:

- ID tokens expire after an hour by the emulator's clock (`TOKEN_EXPIRED`), and tokens of other projects are rejected
  (`INVALID_ID_TOKEN`). The official emulator checks neither.
- A new password or e-mail address and `validSince` revoke refresh tokens together with ID tokens (`TOKEN_EXPIRED`). In
  the official emulator refresh tokens stay valid.
- `passwordHash` is a salted digest. In the official emulator it contains the password.
- Imported password hashes are verified with the parameters of the import, and invalid parameters are rejected. The
  official emulator verifies only its own hashes, which this emulator accepts too.
- `uploadAccount` omits an empty `error`, as production does. `signOutUser` revokes tokens; the official emulator
  returns 501.
- The pages of popup sign-in accept only authorized domains. Only the newest 10,000 unused codes are valid.
- A request without a body or a content type, a token without the expected claims, and a refresh without fields return
  the error code for the missing part. The official emulator returns 500 with the text of a JavaScript error.
- With enumeration protection on, a user cannot change or link an e-mail address by `accounts:update`
  (`OPERATION_NOT_ALLOWED`), and a request for a change to the address of another account returns 200 without sending
  an e-mail, both as in production.
- Authenticator apps (TOTP) are supported as second factors. An invalid `mfaPendingCredential` is rejected with
  `INVALID_MFA_PENDING_CREDENTIAL`.
- An unknown provider is rejected with `INVALID_PROVIDER_ID`, and an invalid e-mail address with `INVALID_EMAIL` or
  `INVALID_NEW_EMAIL`.
- The password policy in the settings (`passwordPolicyConfig`) is enforced.
- `createAuthUri` with a `providerId`, and Google's consent page and token exchange with PKCE, lead to fake pages that
  redirect immediately with a test user. The official emulator returns 501.
"""

from __future__ import annotations

from firebase_rest.emulator.auth.service import PREFIXES, AuthEmulator

__all__ = ["PREFIXES", "AuthEmulator"]
