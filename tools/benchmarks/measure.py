# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Measure what a call costs: CPU seconds, wall seconds and extra peak memory.

Each measurement runs in a fresh process, so that neither memory that an earlier one
has left to the allocator nor its peak can hide what a call needs. For example::

    from measure import measure

    def square(side):  # a function of the module that calls measure
        x = torch.rand(side, side)
        return lambda: x @ x

    if __name__ == '__main__':
        cost = measure(square, (1000,), repeats=5, threads=1)
        print(cost.cpu_s, cost.wall_s, cost.extra_mib)
"""

import contextlib
import io
import itertools
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple


class Cost(NamedTuple):
    """What one call costs.

    ``cpu_s`` (user and system time of all threads) and ``wall_s`` are medians over
    the repeated calls, in seconds. ``extra_mib`` is the growth of the process's
    resident memory, at its peak during the first call, in MiB. ``result`` is what the
    last call returned.
    """

    cpu_s: float
    wall_s: float
    extra_mib: float
    result: Any


def measure(
    prepare: Callable[..., Callable[[], Any]],
    arguments: tuple = (),
    repeats: int = 5,
    threads: int = 1,
) -> Cost:
    """Measure a call in a fresh process.

    Args:
        prepare (Callable): a function of an importable module, which returns the call
            to measure. Its own time and memory are not counted.
        arguments (tuple): passed to ``prepare``.
        repeats (int): number of timed calls, after a first one that is not timed.
        threads (int): of OpenMP and of torch.

    Returns:
        Cost: of one call.

    Raises:
        ValueError: if ``repeats`` or ``threads`` is below 1.
    """
    if repeats < 1 or threads < 1:
        raise ValueError(
            f'repeats and threads must be at least 1, got {repeats} and {threads}'
        )
    before = os.environ.get('OMP_NUM_THREADS')
    os.environ['OMP_NUM_THREADS'] = str(threads)
    try:
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(_run, prepare, arguments, repeats, threads).result()
    finally:
        os.environ.pop('OMP_NUM_THREADS')
        if before is not None:
            os.environ['OMP_NUM_THREADS'] = before


def machine(threads: int, device: str = 'cpu') -> str:
    """Name what is measured on, for the head of a table."""
    import torch

    where = f'{platform.machine()}, {threads} thread(s)'
    if device == 'cuda':
        where = torch.cuda.get_device_name()
    return f'{where}, torch {torch.__version__}'


def build_quietly(config: dict) -> Any:
    """Build a model without remarks on weights that it starts without.

    Args:
        config: of the model; its initial weights are drawn with seed 0.

    Returns:
        The model.
    """
    import torch
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    init_default_scope('mmpose')
    MMLogger.get_instance('benchmark', log_level='ERROR')
    torch.manual_seed(0)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter('ignore')
        return MODELS.build(config)


def gpu_peak_mib(call: Callable[[], Any]) -> tuple[Any, float]:
    """Result of a call, and the GPU memory that it took more at its peak, MiB."""
    import torch

    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    result = call()
    return result, (torch.cuda.max_memory_allocated() - before) / 2**20


def tensor_peak_mib(call: Callable[[], Any]) -> float:
    """Memory of the tensors that a call allocates on the CPU, at its peak.

    Unlike the resident memory it does not count what the allocator keeps and what
    libraries need to compile their kernels.

    Args:
        call (Callable): what to run once, under torch's profiler.

    Returns:
        float: MiB.
    """
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    events = profiler.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == '[memory]']
    held = itertools.accumulate(size for _, size in sorted(changes))
    return max(held, default=0) / 2**20


def _run(prepare: Callable, arguments: tuple, repeats: int, threads: int) -> Cost:
    import torch

    torch.set_num_threads(threads)
    call = prepare(*arguments)
    base = _reset_peak()
    result = call()
    extra = _peak_mib() - base
    cpu, wall = [], []
    for _ in range(repeats):
        # Results of the call before must not count as memory or be freed in time.
        del result
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        result = call()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
    return Cost(statistics.median(cpu), statistics.median(wall), extra, result)


def _reset_peak() -> float:
    """Set the peak to what is resident now where that is possible; return it in MiB."""
    try:
        Path('/proc/self/clear_refs').write_text('5')
    except OSError:
        pass
    return _peak_mib()


def _peak_mib() -> float:
    # Linux hands ru_maxrss down to new programs, so that of the parent would count.
    try:
        status = Path('/proc/self/status').read_text()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == 'darwin' else peak / 2**10
    line = next(line for line in status.splitlines() if line.startswith('VmHWM'))
    return int(line.split()[1]) / 2**10
