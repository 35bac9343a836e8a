"""GAUC in TFMA, per user group, and the scored evaluation split."""
