"""What you store: references, queries, answers and streams of the Realtime Database."""
