"""Requests and responses of Identity Toolkit and Secure Token, without I/O."""
