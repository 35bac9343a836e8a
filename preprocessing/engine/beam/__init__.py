"""The feature engine as a Beam pipeline."""
