"""The parts of `benchmarks/features.py`: logs, contestants, and what compares them.

Each contestant reads the same Parquet log and writes the same feature table and the
same rejects: the engine through Beam and in one process, a pipeline of the usual
element-wise Beam style, and a polars program.
"""
