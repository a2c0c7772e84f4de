# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Shards: which of n processes predicts which file, without a word between them."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: Below the folder of a result, where its parts lie.
SHARDS = 'shards'


@dataclass(frozen=True)
class Shard:
    """The files that one of several processes predicts.

    A file belongs to the shard whose number is the remainder of a hash of its name
    (:func:`name_hash`): so each belongs to one, whatever else is there, is missing or
    is damaged. A film belongs to one shard as a whole.

    Attributes:
        index: of the shard, counted from 0.
        count: number of shards.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ValueError(
                f'--shard {self} does not exist: of {self.count} shards there are '
                f'0/{self.count} to {self.count - 1}/{self.count}'
            )

    def __str__(self) -> str:
        return f'{self.index}/{self.count}'

    def owns(self, name: str) -> bool:
        """Whether a file belongs to it.

        Args:
            name: relative to the folder of the source, with slashes and suffix.
        """
        return name_hash(name) % self.count == self.index

    def folder(self, out: str | Path) -> Path:
        """Where its part lies.

        Args:
            out: folder of the result of all.
        """
        return Path(out, SHARDS, f'{self.index}-of-{self.count}')


def name_hash(name: str) -> int:
    """The first 64 bits of BLAKE2b of the name's bytes, the same on each machine.

    Args:
        name: of a file.
    """
    content = name.encode('utf-8', 'surrogateescape')
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), 'big')


class Selection:
    """Files that belong to a shard, while all are listed once.

    Two processes that have listed the same names have the same :attr:`listing`.

    Args:
        shard: that chooses.
    """

    def __init__(self, shard: Shard) -> None:
        self.shard, self._number, self._sum = shard, 0, 0

    def __call__(self, name: str) -> bool:
        """Whether the file of that name does."""
        value = name_hash(name)
        self._number += 1
        self._sum = (self._sum + value) % 2**64
        return value % self.shard.count == self.shard.index

    @property
    def listing(self) -> list:
        """Number of names, and the sum of their hashes modulo 2^64 in hexadecimals."""
        return [self._number, f'{self._sum:016x}']


def read_shard(text: str, environment: Mapping[str, str] | None = None) -> Shard:
    """Read which shard is asked for.

    Args:
        text: ``i/n``, i counted from 0, or ``auto`` for the task of a job of Slurm.
        environment: variables that Slurm sets, by default those of this process.

    Returns:
        The shard.

    Raises:
        ValueError: it is neither, or there is no job of Slurm.
    """
    if text == 'auto':
        return _of_slurm(os.environ if environment is None else environment)
    found = re.fullmatch(r'(\d+)/(\d+)', text.strip())
    if found is None:
        raise ValueError(
            f"--shard '{text}' is no shard: write 0/4 to 3/4 for four processes, or "
            'auto'
        )
    return Shard(int(found[1]), int(found[2]))


def _of_slurm(variables: Mapping[str, str]) -> Shard:
    """The task of a step (srun), of an array of jobs, or of an array of steps."""

    def number(name: str, default: int) -> int:
        text = variables.get(f'SLURM_{name}', str(default))
        if not text.isdecimal():
            raise ValueError(f"--shard auto: SLURM_{name} is '{text}', no number")
        return int(text)

    is_array = 'SLURM_ARRAY_TASK_ID' in variables
    if not is_array and not {'SLURM_PROCID', 'SLURM_NTASKS'} <= variables.keys():
        raise ValueError(
            '--shard auto is for tasks of Slurm (srun, or sbatch --array), and neither '
            'SLURM_PROCID and SLURM_NTASKS nor SLURM_ARRAY_TASK_ID are set: write '
            '--shard 0/4 to 3/4 for four processes'
        )
    task, tasks = number('PROCID', 0), number('NTASKS', 1)
    if not is_array:
        return Shard(task, tasks)
    first, step = number('ARRAY_TASK_MIN', 0), number('ARRAY_TASK_STEP', 1)
    jobs = number('ARRAY_TASK_COUNT', 0)
    job, rest = divmod(number('ARRAY_TASK_ID', 0) - first, max(step, 1))
    if rest or not 0 <= job < jobs:
        raise ValueError(
            '--shard auto: the numbers of the array of jobs are not evenly spaced '
            f'({jobs} from {first} in steps of {step}, this is '
            f'{variables["SLURM_ARRAY_TASK_ID"]}): write --shard i/n, or '
            '--array=0-N'
        )
    return Shard(job * tasks + task, jobs * tasks)
