"""Who you are: sign-in, accounts, tokens."""
