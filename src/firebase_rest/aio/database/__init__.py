"""Generated classes; see tools/generate_aio.py."""
