"""The verb ``doctor``: what is installed here, what was mended, what is missing."""

import argparse
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

import mmkp
from mmkp.dependencies import OPENMMLAB, OTHERS, Dependency


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Print it, a line a thing."""
    argparse.ArgumentParser(
        prog=prog, description='Say what is installed here, and what is missing'
    ).parse_args(argv)
    print(f'mmkp {mmkp.__version__} in {Path(mmkp.__file__).parent}')
    print(f'Python {platform.python_version()} on {platform.platform()}')
    print(f'computes on: {", ".join(devices())}; {os.cpu_count()} processor cores')
    for entry in (*OPENMMLAB, *OTHERS, *OPTIONAL):
        versions = entry.found().items()
        found = ' and '.join(f'{name} {version}' for name, version in versions)
        print(f'  {entry.module:14} {found or "not installed"}')
    print(f'mended for this session: {", ".join(mmkp.compat.applied) or "nothing"}')
    for line in advice():
        print(f'note: {line}')


# What is used where it is there.
OPTIONAL = tuple(
    Dependency(name, (name,))
    for name in ('xtcocotools', 'numba', 'diffusers', 'tensorboard', 'wandb')
)


def devices() -> list[str]:
    """What torch can compute on, by name."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [f'cuda:{i} ({torch.cuda.get_device_name(i)})' for i in range(count)]
    return [*names, 'cpu']


def advice() -> list[str]:
    """What works here, but not as one might expect."""
    lines = []
    for entry in OPENMMLAB:
        names = list(entry.found())
        if len(names) > 1:
            lines.append(
                f'{" and ".join(names)} overwrite each other; uninstall all of them, '
                'then install one'
            )
    if 'provide_mmcv_ops' in mmkp.compat.applied:
        lines.append(
            'mmcv has no compiled operators here, so MMPose imports only after mmkp: '
            'write `import mmkp` above `from mmpose.apis import ...`'
        )
    return lines
