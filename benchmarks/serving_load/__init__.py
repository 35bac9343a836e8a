"""The parts of `benchmarks/serving.py`: requests, the server's process, the load's.

The load comes from a process of its own that sends bytes made beforehand and does not
decode the answers, so that it takes little of the server's cores.
"""
