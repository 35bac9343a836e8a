"""What earlier runs of the same pipeline made, found in its records (ML Metadata)."""
