"""A process that runs cases within bounds of memory and time, and is watched."""

import gc
import json
import mmap
import multiprocessing
import os
import pickle
import resource
import shutil
import signal
import struct
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.target import Target, outcome

#: Bytes that a process may take beyond what its imports have taken.
ADDRESS_SPACE = 4 << 30
#: Bytes that one case may take.
GROWTH = 512 << 20
#: CPU seconds of a case, and seconds until a process that does not end it is killed.
CPU_SECONDS, WALL_SECONDS = 5.0, 60.0

#: Number of the case, how many were accepted and refused, MiB at most.
_PROGRESS = struct.Struct('<4q')
_PAGE = os.sysconf('SC_PAGE_SIZE')


@dataclass
class Tally:
    """What became of the cases of one target."""

    counts: Counter = field(default_factory=Counter)
    peak_mib: float = 0.0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class _TooLong(BaseException):
    """Leaves a case that takes too long; no reader may take it for its own error."""


def make_case(name: str, target: Target, seed: int, index: int) -> Any:
    """The case of a number, the same in every run."""
    return target.make(np.random.default_rng([seed, zlib.crc32(name.encode()), index]))


def run_target(
    name: str, target: Target, cases: range, seed: int, saved: Path
) -> Tally:
    """Run cases of a target; a process that dies or hangs is replaced.

    Args:
        name: of the target.
        target: what is fuzzed.
        cases: their numbers.
        seed: of all of them.
        saved: folder where each failing input is kept.

    Returns:
        What became of them.
    """
    tally, start, begun = Tally(), cases.start, time.perf_counter()
    while start < cases.stop:
        progress = mmap.mmap(-1, _PROGRESS.size)
        parent, child = multiprocessing.Pipe(duplex=False)
        folder = Path(tempfile.mkdtemp(prefix='fuzzing-'))
        part = range(start, cases.stop)
        process = multiprocessing.get_context('fork').Process(
            target=_work,
            args=(name, target, part, seed, (saved, folder), progress, child),
        )
        process.start()
        child.close()
        start = _watch(process, parent, progress, tally, cases)
        shutil.rmtree(folder)
        if start < cases.stop:
            how = f'ended with {process.exitcode}' if process.exitcode else 'no end'
            tally.faults.append(_keep(name, target, (seed, start), saved, how))
            tally.counts['fault'] += 1
            start += 1
    tally.seconds = time.perf_counter() - begun
    return tally


def _watch(
    process: Any, parent: Any, progress: mmap.mmap, tally: Tally, cases: range
) -> int:
    """Wait for a process; the number of the case that ended it, or behind the last."""
    last, since, done = -1, time.monotonic(), False
    while not done:
        if parent.poll(0.2):
            try:
                said = parent.recv()
            except EOFError:
                break
            done = said is None
            if said is not None:
                tally.faults.append(said)
                tally.counts['fault'] += 1
            continue
        now = _PROGRESS.unpack_from(progress)[0]
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > WALL_SECONDS:
            process.kill()
            break
    process.join()
    at, accepted, refused, peak = _PROGRESS.unpack_from(progress)
    tally.counts += Counter(accepted=accepted, refused=refused)
    tally.peak_mib = max(tally.peak_mib, peak)
    return cases.stop if done else at


def _work(
    name: str,
    target: Target,
    cases: range,
    seed: int,
    folders: tuple[Path, Path],
    progress: mmap.mmap,
    pipe: Any,
) -> None:
    """Run cases one after the other, within bounds."""
    _bound_process()
    target.prepare()
    tally, (saved, folder) = Tally(), folders
    os.chdir(folder)
    for index in cases:
        counts = tally.counts['accepted'], tally.counts['refused']
        _PROGRESS.pack_into(progress, 0, index, *counts, int(tally.peak_mib))
        case = make_case(name, target, seed, index)
        result, said, mib = _bounded(target, case, folder)
        tally.counts[result] += 1
        tally.peak_mib = max(tally.peak_mib, mib)
        if result == 'fault':
            pipe.send(_keep(name, target, (seed, index), saved, said))
    counts = tally.counts['accepted'], tally.counts['refused']
    _PROGRESS.pack_into(progress, 0, cases.stop, *counts, int(tally.peak_mib))
    pipe.send(None)
    pipe.close()


def _bounded(target: Target, case: Any, folder: Path) -> tuple[str, str, float]:
    """Outcome of a case, what was said, and MiB that it took at most."""
    before, highest = _resident(), _highest()
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        result, said = outcome(target, case, folder)
    except _TooLong:
        result, said = 'fault', f'more than {CPU_SECONDS} CPU seconds'
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    now = _highest()
    growth = max(now - before, 0) if now > highest else 0
    if growth > GROWTH:
        result, said = 'fault', f'{growth >> 20} MiB of memory; {said}'
    return result, said, growth / 2**20


def _bound_process() -> None:
    """Give this process its bounds, and silence it."""
    with open('/proc/self/statm') as file:
        limit = int(file.read().split()[0]) * _PAGE + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _leave)
    gc.freeze()  # MMEngine collects garbage whenever it reads a data set
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def _leave(*_: Any) -> None:
    raise _TooLong


def _resident() -> int:
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * _PAGE


def _highest() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _keep(
    name: str,
    target: Target,
    number: tuple[int, int],
    saved: Path,
    said: str,
) -> str:
    """Save the input of a fault with what reproduces it; a line that says so."""
    seed, index = number
    saved.mkdir(parents=True, exist_ok=True)
    stem = saved / f'{name}-{seed}-{index}'
    case = make_case(name, target, seed, index)
    if isinstance(case, bytes):
        stem.with_suffix('.bin').write_bytes(case)
    else:
        stem.with_suffix('.pkl').write_bytes(pickle.dumps(case))
    stem.with_suffix('.json').write_text(
        json.dumps(dict(target=name, seed=seed, case=index, said=said), indent=1)
    )
    return f'{stem}: {said[:300]}'
