"""GAUC as a TFMA metric and as a table, and the scored evaluation split."""
