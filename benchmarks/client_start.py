"""How long a process needs until it has a client: `python -m benchmarks.client_start`.

A fresh interpreter each time, from its start to the first channel (nothing is sent),
less what the same interpreter needs to start and end with nothing to do.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15
_GRPC = "RankingClient(grpc='127.0.0.1:1')"
_REST = "RankingClient(rest='http://127.0.0.1:1')"


def main() -> None:
    """Prints the median and the slowest of `ROUNDS` starts of each protocol."""
    bare = statistics.median(_seconds("pass") for _ in range(ROUNDS))
    print(f"bare interpreter       {bare:.3f} s")
    for name, make in (("gRPC", _GRPC), ("REST", _REST)):
        code = f"from serving.client import RankingClient; {make}"
        taken = [_seconds(code) for _ in range(ROUNDS)]
        print(
            f"client over {name}       {statistics.median(taken) - bare:.3f} s beyond "
            f"that (slowest {max(taken) - bare:.3f} s); required: under 0.5 s"
        )


def _seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
