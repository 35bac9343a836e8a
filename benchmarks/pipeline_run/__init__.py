"""What `benchmarks/pipeline.py` measures: a whole run, and its components' bare work.

A run is the command itself in a process of its own, so that nothing is left out: its
imports, its start, what it prints.
"""
