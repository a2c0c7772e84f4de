# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What is installed here, what is missing, and whether it works."""

import html
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import mmkp
from mmkp.apis.self_test import BROKEN, NOTE, Check, self_test
from mmkp.dependencies import OPENMMLAB, OTHERS, Dependency

# What is used where it is there, and for what.
OPTIONAL = tuple(
    (Dependency(module, (distribution,)), purpose)
    for module, distribution, purpose in (
        ('xtcocotools', 'xtcocotools', 'COCO metrics of several kinds of points'),
        ('numba', 'numba', 'decodes part affinity fields fast'),
        ('jinja2', 'jinja2', 'pages of HTML'),
        ('sleap_io', 'sleap-io', 'label files of SLEAP, Label Studio and others'),
        ('pandas', 'pandas', 'tables of DeepLabCut'),
        ('tables', 'tables', "DeepLabCut's .h5"),
        ('h5py', 'h5py', "SLEAP's .slp and analysis .h5"),
        ('ndx_pose', 'ndx-pose', 'NWB files'),
        ('sklearn', 'scikit-learn', 'clusters, and names from labels'),
        ('onnxscript', 'onnxscript', 'writes exports (mmkp export)'),
        ('onnxruntime', 'onnxruntime', 'runs exports, and detectors in .onnx'),
        ('openvino', 'openvino', 'runs exports, the fastest on a CPU'),
        ('imageio_ffmpeg', 'imageio-ffmpeg', 'films in H.264'),
        ('timm', 'timm', 'features of TimmBackbone'),
        ('diffusers', 'diffusers', 'StableKeypoints on Stable Diffusion'),
        ('tensorboard', 'tensorboard', 'curves of trainings'),
        ('wandb', 'wandb', 'curves of trainings'),
        ('playwright', 'playwright', 'tests of the pages in a browser'),
    )
)


@dataclass(frozen=True)
class Diagnosis:
    """What a bug report begins with; in a notebook it shows itself.

    Args:
        system: name -> what there is.
        packages: module -> distributions with versions, '' where it is not installed.
        missing: optional module -> the command that installs it, and what for.
        mended: defects of other packages that mmkp mends in this session.
        advice: what works here, but not as one might expect.
        checks: results of the self-test, empty where it was not run.
    """

    system: dict[str, str]
    packages: dict[str, str]
    missing: dict[str, str]
    mended: list[str]
    advice: list[str]
    checks: list[Check]

    @property
    def broken(self) -> list[Check]:
        """Checks that failed."""
        return [check for check in self.checks if check.status == BROKEN]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain types, ready for a JSON file."""
        return dict(asdict(self), broken=[check.name for check in self.broken])

    def __str__(self) -> str:
        system = dict(self.system)
        lines = [f'mmkp {system.pop("mmkp")}']
        lines += [f'{name}: {value}' for name, value in system.items()]
        lines += [f'  {name:15} {found}' for name, found in self.packages.items()]
        lines += ['not installed, and needed for some things only:']
        lines += [f'  {name:15} {remedy}' for name, remedy in self.missing.items()]
        lines += [f'mended for this session: {", ".join(self.mended) or "nothing"}']
        lines += [f'note: {line}' for line in self.advice]
        if self.checks:
            lines += ['self-test:', *map(_line, self.checks), self._verdict()]
        return '\n'.join(lines)

    def _verdict(self) -> str:
        if self.broken:
            return f'broken: {", ".join(check.name for check in self.broken)}'
        return f'all {len(self.checks)} checks of the self-test work'

    def _repr_html_(self) -> str:
        return f'<pre>{html.escape(str(self))}</pre>'


def doctor(test: bool = True) -> Diagnosis:
    """Look at what is installed, and try it.

    Args:
        test: whether to run :func:`mmkp.apis.self_test.self_test`, some seconds.

    Returns:
        What was found; printed, it is text for a bug report.
    """
    packages, missing = {}, {}
    for entry in (*OPENMMLAB, *OTHERS):
        packages[entry.module] = _versions(entry) or 'not installed'
    for entry, purpose in OPTIONAL:
        found = _versions(entry)
        if found:
            packages[entry.module] = found
        else:
            command = f'pip install {entry.distributions[0]}'
            missing[entry.module] = f'{command}  ({purpose})'
    checks = self_test() if test else []
    return Diagnosis(
        system(), packages, missing, list(mmkp.compat.applied), advice(), checks
    )


def system() -> dict[str, str]:
    """What computes here, by name."""
    found = dict(
        mmkp=f'{mmkp.__version__} in {Path(mmkp.__file__).parent}',
        Python=f'{platform.python_version()} on {platform.platform()}',
    )
    found['computes on'] = ', '.join(devices())
    found['processor'] = f'{_processor()}, {os.cpu_count()} cores'
    if hasattr(os, 'sched_getaffinity'):
        found['processor'] += f', {len(os.sched_getaffinity(0))} for this process'
    memory = _memory()
    if memory:
        found['memory'] = memory
    return found


def devices() -> list[str]:
    """What torch can compute on, by name."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [f'cuda:{i} ({torch.cuda.get_device_name(i)})' for i in range(count)]
    mps = getattr(torch.backends, 'mps', None)
    if mps is not None and mps.is_available():
        names.append('mps')
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


def _line(check: Check) -> str:
    mark = {BROKEN: 'BROKEN', NOTE: 'note'}.get(check.status, check.status)
    return f'  {mark:6} {check.name:15} {check.detail} ({check.seconds:.1f} s)'


def _versions(entry: Dependency) -> str:
    return ' and '.join(f'{name} {version}' for name, version in entry.found().items())


def _processor() -> str:
    """Name of the processor, which Linux keeps in a file."""
    path = Path('/proc/cpuinfo')
    if path.is_file():
        for line in path.read_text(errors='replace').splitlines():
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    """Memory in all and what is free, '' where the system does not say."""
    path = Path('/proc/meminfo')
    if not path.is_file():
        return ''
    pairs = (line.split(':') for line in path.read_text().splitlines())
    sizes = {name: int(value.split()[0]) / 2**20 for name, value in pairs}
    free = sizes.get('MemAvailable', sizes.get('MemFree', 0.0))
    return f'{sizes["MemTotal"]:.1f} GiB, {free:.1f} free'
