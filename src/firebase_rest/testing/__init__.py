"""Tools for tests of programs that use Firebase, and of security rules."""
