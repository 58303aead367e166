"""gunicorn's settings: `gunicorn "webapp:create_app()"` reads this file."""

bind = "127.0.0.1:8000"
workers = 4
preload_app = True
"""The application is created once, before the workers are forked. Each worker opens its own stream at first use."""
threads = 220
"""200 for the event streams of the board (`live_board.MAX_VISITORS`), and 20 for other requests."""
timeout = 60
graceful_timeout = 5
"""Maximum seconds for which open event streams delay a restart."""
