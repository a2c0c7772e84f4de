"""What mmkp runs on, checked with nothing but the standard library, before the rest."""

import importlib.util
import re
from importlib import metadata
from typing import NamedTuple


class Dependency(NamedTuple):
    """A module that mmkp imports, and what brings it.

    Attributes:
        module: name of the import.
        distributions: what pip installs it by; the first is the one that we install,
            the others may stand in.
        minimum: first version that works, '' for any.
        below: first version that does not, '' for none.
    """

    module: str
    distributions: tuple[str, ...]
    minimum: str = ''
    below: str = ''

    @property
    def versions(self) -> str:
        """The versions that work, as pip writes them."""
        bounds = [f'>={self.minimum}'] if self.minimum else []
        return ','.join(bounds + ([f'<{self.below}'] if self.below else []))

    def found(self) -> dict[str, str]:
        """Each of its distributions that is installed, with its version."""
        versions = {}
        for distribution in self.distributions:
            try:
                versions[distribution] = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        return versions

    def complaint(self) -> str:
        """What is wrong with it here, '' for nothing."""
        if importlib.util.find_spec(self.module) is None:
            return f'{self.module} is not installed'
        for distribution, version in self.found().items():
            release = _release(version)
            above = bool(self.below) and release >= _release(self.below)
            if above or release < _release(self.minimum):
                return (
                    f'{distribution} {version} is installed, {self.versions} is needed'
                )
        return ''


# Installed without what they declare, which can no longer be installed as a whole:
# MMPose asks for chumpy, which does not build, and all for a second OpenCV.
OPENMMLAB = (
    Dependency(
        'mmengine', ('mmengine', 'mmengine-lite', 'onedl-mmengine'), '0.10', '1'
    ),
    Dependency('mmcv', ('mmcv-lite', 'mmcv', 'onedl-mmcv'), '2.0'),
    Dependency('mmdet', ('mmdet', 'onedl-mmdetection'), '3.2'),
    Dependency('mmpose', ('mmpose',), '1.3', '2'),
    Dependency(
        'cv2',
        (
            'opencv-python-headless',
            'opencv-python',
            'opencv-contrib-python',
            'opencv-contrib-python-headless',
        ),
    ),
)
TRIED = (
    'mmengine==0.10.7',
    'mmcv-lite==2.1.0',
    'mmdet==3.3.0',
    'mmpose==1.3.2',
    'opencv-python-headless==4.11.0.86',
)
# What requirements/runtime.txt lists, xtcocotools aside, which pycocotools replaces,
# and numba, without which loops run interpreted.
OTHERS = tuple(
    Dependency(module, (distribution,), minimum)
    for module, distribution, minimum in (
        ('addict', 'addict', ''),
        ('filelock', 'filelock', ''),
        ('jinja2', 'jinja2', ''),
        ('json_tricks', 'json-tricks', ''),
        ('matplotlib', 'matplotlib', ''),
        ('munkres', 'munkres', ''),
        ('numpy', 'numpy', '1.24'),
        ('packaging', 'packaging', ''),
        ('PIL', 'pillow', ''),
        ('pycocotools', 'pycocotools', ''),
        ('yaml', 'pyyaml', ''),
        ('rich', 'rich', ''),
        ('safetensors', 'safetensors', ''),
        ('scipy', 'scipy', ''),
        ('setuptools', 'setuptools', ''),
        ('shapely', 'shapely', ''),
        ('six', 'six', ''),
        ('termcolor', 'termcolor', ''),
        ('terminaltables', 'terminaltables', ''),
        ('torch', 'torch', '2.1'),
        ('torchvision', 'torchvision', '0.16'),
        ('tqdm', 'tqdm', ''),
        ('yapf', 'yapf', ''),
    )
)


def check_dependencies() -> None:
    """Raise one error that lists everything that is missing or of a wrong version.

    Raises:
        ImportError: Naming each package, what was found, and the command that installs.
    """
    complaints: list[str] = []
    remedies: list[str] = []
    for group, options in ((OTHERS, ''), (OPENMMLAB, '--no-deps ')):
        wrong = [entry for entry in group if entry.complaint()]
        complaints += [entry.complaint() for entry in wrong]
        if wrong:
            names = ' '.join(f'"{_wanted(entry)}"' for entry in wrong)
            remedies.append(f'pip install {options}{names}')
    if not complaints and _torch_is_older_than_numpy():
        complaints.append('torch before 2.3 cannot be used with NumPy 2')
        remedies.append('pip install "numpy<2"')
    if complaints:
        raise ImportError(
            f'mmkp cannot be used here: {"; ".join(complaints)}. '
            f'Install with: {" && ".join(remedies)}'
        )


def _torch_is_older_than_numpy() -> bool:
    """Whether torch was compiled for NumPy 1 and NumPy 2 is there."""
    try:
        torch, numpy = (_release(metadata.version(name)) for name in ('torch', 'numpy'))
    except metadata.PackageNotFoundError:
        return False
    return torch < (2, 3) and numpy >= (2,)


def _wanted(entry: Dependency) -> str:
    """What pip is asked for: the tried version where there is one."""
    name = entry.distributions[0]
    tried = [line for line in TRIED if line.partition('==')[0] == name]
    return tried[0] if tried else name + entry.versions


def _release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with, less zeros at their end."""
    numbers = re.match(r'[\d.]*', version)[0].rstrip('.').split('.')  # type: ignore[index]
    release = [int(number) for number in numbers if number]
    while release and not release[-1]:
        release.pop()
    return tuple(release)
