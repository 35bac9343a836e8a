"""The feature engine on one user at a moment, for serving."""
