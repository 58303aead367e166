"""Firebase Auth: sign-in, accounts and tokens."""
