"""`tests/run [stage ...]`: run the named stages, or all, side by side as far as they allow; stop after one fails."""

from __future__ import annotations

import argparse
import sys
import time

from tests.harness.stage import Result, Run, Stage
from tests.harness.stages import stages


def _chosen() -> list[Stage]:
    every = stages()
    names = [stage.name for stage in every]
    parser = argparse.ArgumentParser(
        prog="tests/run",
        description=__doc__,
        epilog="\n".join(f"  {stage.name:<12} {stage.what}" for stage in every),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stages", nargs="*", metavar="stage", help="one or more of: " + ", ".join(names))
    chosen = parser.parse_args().stages or names
    if unknown := [name for name in chosen if name not in names]:
        parser.error(f"no such stage: {', '.join(unknown)}; there are: {', '.join(names)}")
    return [stage for stage in every if stage.name in chosen]


def _write(output: bytes) -> None:
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()


def _table(results: list[Result], not_run: list[Stage], seconds: float) -> str:
    rows = [
        f"{r.stage.name:<12} {'failed' if r.failed else 'passed':<8} {r.passed:>6} {r.failed:>6} {r.seconds:>8.1f} s"
        for r in results
    ]
    rows += [f"{stage.name:<12} not run" for stage in not_run]
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    total = ", ".join(
        f"{number} {word}" for number, word in ((failed, "failed"), (passed, "passed")) if number or word == "passed"
    )
    return "\n".join(
        [
            f"{'stage':<12} {'result':<8} {'passed':>6} {'failed':>6} {'time':>10}",
            *rows,
            f"===== {total} in {seconds:.1f}s =====",
        ]
    )


def main() -> int:
    """Run the stages and say how they went."""
    chosen = _chosen()
    started = time.monotonic()
    runs: dict[str, Run] = {}
    for stage in chosen:
        runs[stage.name] = Run(stage, after=[runs[name] for name in stage.after if name in runs])
    results: list[Result] = []
    try:
        for stage in chosen:
            print(f"\n=== {stage.name}: {stage.what}", flush=True)
            results.append(runs[stage.name].follow(_write))
            if results[-1].failed:
                break
    finally:
        for run in runs.values():
            run.stop()
    print("\n" + _table(results, chosen[len(results) :], time.monotonic() - started))
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main())
