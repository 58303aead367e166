"""Generated classes, and the transfers in threads; see tools/generate_aio.py."""
