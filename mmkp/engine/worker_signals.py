"""Worker processes that leave the signals of the terminal to the main process."""

import os
import signal
import threading
from collections.abc import Callable


def start_shielded(
    worker_init_fn: Callable[[int], None] | None, worker_id: int
) -> None:
    """Start a loader's worker process so that it is not asked to stop.

    Ctrl-C reaches every process of a terminal, and supervisors signal whole groups of
    processes. A worker that dies of it breaks the step that the main process is about
    to finish.

    Args:
        worker_init_fn: what the loader called before, if anything.
        worker_id: number of the process.
    """
    ignore_stop_signals()
    if worker_init_fn is not None:
        worker_init_fn(worker_id)


def ignore_stop_signals() -> None:
    """Ignore SIGINT, SIGHUP and, unless it comes from the parent process, SIGTERM.

    The parent ends its workers by SIGTERM when all else has failed. Where the sender
    of a signal is unknown (outside Linux), SIGTERM keeps its meaning.
    """
    for name in ('SIGINT', 'SIGHUP'):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        watch = threading.Thread(target=_exit_when_told, args=(os.getppid(),))
        watch.daemon = True
        watch.start()


def _exit_when_told(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
