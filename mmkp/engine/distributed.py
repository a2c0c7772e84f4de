# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Several processes that train or test one model, with and without GPUs."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from mmengine.config import Config
from mmengine.model import MMFullyShardedDataParallel
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mmkp.engine.config_check import ConfigError
from mmkp.engine.non_finite import listed

# What a launcher calls the number of a process, that of all, and that on its machine.
_OF_LAUNCHERS = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': (
        'OMPI_COMM_WORLD_RANK',
        'OMPI_COMM_WORLD_SIZE',
        'OMPI_COMM_WORLD_LOCAL_RANK',
    ),
}
# What gloo and NCCL say when another process is gone.
_LOST = re.compile(
    r'connection (was )?(closed|reset|refused)|broken pipe|timed out|timeout|'
    r'remote process|socket.*(closed|error)|nccl communicator was aborted',
    re.IGNORECASE,
)


# What DistributedDataParallel says in the step after one.
_WITHOUT_GRADIENT = re.compile(r'did not receive grad for rank \d+ ?: ([\d ]+)')


class LostProcessError(RuntimeError):
    """Another process of a distributed job has ended."""


def join_without_gpu(cfg: Config) -> None:
    """Let the processes of a distributed job run on CPUs, by gloo.

    MMEngine 0.10 takes each process' number for that of its GPU when it joins the
    group and when it wraps the model, and takes ``find_unused_parameters`` only where
    there is no ``model_wrapper_cfg``.

    Args:
        cfg: of a runner; its ``launcher`` says who has started the processes.

    Raises:
        ConfigError: the launcher has not started this process, or ``sync_bn`` is set.
    """
    if cfg.get('sync_bn') is not None:
        raise ConfigError(
            f'sync_bn={cfg.sync_bn!r} needs GPUs, as SyncBatchNorm of torch and mmcv '
            'does: leave it out (sync_bn=None), and each process normalizes by the '
            'statistics of its own images'
        )
    if not distributed.is_initialized():
        _name_process(cfg.launcher)
        seconds = ((cfg.get('env_cfg') or {}).get('dist_cfg') or {}).get('timeout')
        limit = None if seconds is None else timedelta(seconds=seconds)
        distributed.init_process_group('gloo', timeout=limit)
    wrapper = dict(cfg.get('model_wrapper_cfg') or {})
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    if _is_data_parallel(wrapper['type']):
        wrapper.setdefault('broadcast_buffers', False)
        unused = cfg.get('find_unused_parameters', False)
        wrapper.setdefault('find_unused_parameters', unused)
        wrapper['device_ids'] = None
    cfg.model_wrapper_cfg = wrapper


def _is_data_parallel(kind: Any) -> bool:
    found = MODEL_WRAPPERS.get(kind) if isinstance(kind, str) else kind
    return isinstance(found, type) and issubclass(found, DistributedDataParallel)


def _name_process(launcher: str) -> None:
    """Say by torch's environment variables which process this is."""
    environment = os.environ
    names = _OF_LAUNCHERS[launcher]
    missing = [name for name in names if name not in environment]
    if missing:
        raise ConfigError(
            f'--launcher {launcher}: {" and ".join(missing)} are not set in the '
            'environment, as the launcher does: start the job by tools/dist_train.sh '
            'or tools/slurm_train.sh, or leave out --launcher for one process'
        )
    for name, theirs in zip(_OF_LAUNCHERS['pytorch'], names, strict=True):
        environment[name] = environment[theirs]
    if launcher == 'slurm' and 'MASTER_ADDR' not in environment:
        command = ['scontrol', 'show', 'hostnames', environment['SLURM_NODELIST']]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        environment['MASTER_ADDR'] = found.stdout.split()[0]
    environment.setdefault('MASTER_ADDR', '127.0.0.1')
    environment.setdefault('MASTER_PORT', '29500')


def raise_if_not_savable(model: nn.Module) -> None:
    """Refuse a wrapper that would wait forever at the first checkpoint.

    Args:
        model: of a runner, in its wrapper.

    Raises:
        ValueError: all its weights are shared out, while MMEngine's runner lets the
            first process save alone.
    """
    if isinstance(model, MMFullyShardedDataParallel):
        raise ValueError(
            'model_wrapper_cfg: MMFullyShardedDataParallel shares out all weights, '
            'which the first process cannot save alone, as it does here. Take '
            'mmpose.ShardedFrozenDataParallel where a frozen network is what is large, '
            "or leave it out; less memory is taken by the backbone's with_cp=True "
            'and by optim_wrapper.accumulative_counts beside smaller batches'
        )


@contextmanager
def told_of_other_processes(runner: Runner) -> Iterator[None]:
    """Say in one sentence what ends this process where another one is the cause.

    Args:
        runner: of the training.

    Raises:
        LostProcessError: another process has ended, in place of what the communication
            library raises.
        ValueError: parameters get no gradient, in place of what torch raises.
    """
    try:
        yield
    except RuntimeError as error:
        if not runner.distributed:
            raise
        if numbers := _WITHOUT_GRADIENT.search(str(error)):
            raise ValueError(
                f'{_names(runner.model, numbers[1])} get no gradient, for which '
                'distributed training waits: set find_unused_parameters=True in the '
                "config, or leave out what is not read, as by the backbone's num_stages"
            ) from error
        if not _LOST.search(str(error)):
            raise
        raise LostProcessError(
            f'process {distributed.get_rank()} of {distributed.get_world_size()} '
            'stops, because another one has ended or does not answer: what that one '
            'or the launcher says tells why. The last checkpoint is in '
            f"'{runner.work_dir}': the same command with --resume goes on from there"
        ) from error


def _names(model: nn.Module, numbers: str) -> str:
    """Names of trained parameters, by their numbers in DistributedDataParallel."""
    bare: Any = model.module
    names = [name for name, each in bare.named_parameters() if each.requires_grad]
    return listed([names[int(number)] for number in numbers.split()])
