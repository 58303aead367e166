"""Cloud Storage for Firebase: files."""
