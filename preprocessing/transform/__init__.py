"""The Transform: feature-table columns become model inputs."""
