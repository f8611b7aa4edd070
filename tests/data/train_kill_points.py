"""Kill a training at each step that it takes, let it go on, and compare every byte.

Called as ``python train_kill_points.py FOLDER EVERY [FLAG ...]``; prints one JSON document. It dies
by SIGKILL before or after the n-th step of the optimiser, rename or written file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from kill_points import evo

from evo_core.cli import main


def contents(folder: Path) -> dict[str, bytes]:
    """Give everything that a training decided."""
    paths = [*folder.glob("epoch-*/*"), folder / "result.json", folder / "figures" / "curves.svg"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def survives(reference: dict[str, bytes], folder: Path, flags: list[str], step: int) -> str:
    """Kill a training at one step, and once more as it goes on, and say what is wrong then."""
    code, _ = evo("train", "--quiet", "--out", str(folder), *flags, last=step)
    if code != -signal.SIGKILL:
        return f"was not killed but ended with {code}"
    if folder.exists():
        evo("train", "--quiet", "--resume", str(folder), last=step)
        code, _ = evo("train", "--quiet", "--resume", str(folder))
    else:
        code, _ = evo("train", "--quiet", "--out", str(folder), *flags)
    if code != 0:
        return f"could not go on: {code}"
    return "" if contents(folder) == reference else "ended otherwise"


def count_training(steps) -> None:
    """Let each step of an optimiser and each deletion count as well."""
    from evo_core.snn.training import Trainer

    Trainer.make_step = steps.around(Trainer.make_step)
    shutil.rmtree = steps.around(shutil.rmtree)


if __name__ == "__main__":
    import kill_points

    watch = kill_points.watch

    def watch_training(last):
        steps = watch(last)
        count_training(steps)
        return steps

    kill_points.watch = watch_training
    base, every, flags = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    out = os.dup(1)
    os.dup2(2, 1)
    with contextlib.suppress(SystemExit):  # imports everything, so that the forks need not
        main(["train", "--quiet", "--out", str(base / "warm"), *flags])
    _, total = evo("train", "--quiet", "--out", str(base / "whole"), *flags)
    reference = contents(base / "whole")
    points = range(1, total + 1, every)
    faults = {step: survives(reference, base / f"killed{step}", flags, step) for step in points}
    wrong = {step: fault for step, fault in faults.items() if fault}
    twice = contents(base / "warm") == reference
    found = {"steps": total, "kills": len(points), "wrong": wrong, "twice": twice}
    os.write(out, json.dumps(found).encode())
