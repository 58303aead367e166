"""Cloud Storage for Firebase."""
