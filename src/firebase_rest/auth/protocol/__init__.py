"""Flows over Identity Toolkit and Secure Token."""
