"""What mmkp runs on, checked before anything of it is imported."""

import importlib.util
from importlib import metadata

from packaging.specifiers import SpecifierSet

INSTALL_COMMAND = (
    'pip install --no-deps "mmengine==0.10.7" "mmcv-lite==2.1.0" "mmdet==3.3.0" '
    '"mmpose==1.3.2"'
)

# Module, the distributions that may bring it, the versions that mmkp works with.
OPENMMLAB = (
    ('mmengine', ('mmengine', 'mmengine-lite', 'onedl-mmengine'), '>=0.10,<1'),
    ('mmcv', ('mmcv', 'mmcv-lite', 'onedl-mmcv'), '>=2.0'),
    ('mmdet', ('mmdet', 'onedl-mmdetection'), '>=3.2'),
    ('mmpose', ('mmpose',), '>=1.3,<2'),
)
OTHERS = (('torch', ('torch',), '>=2.1'), ('cv2', (), ''), ('torchvision', (), ''))


def check_dependencies() -> None:
    """Raise one error that lists everything that is missing or of a wrong version.

    Raises:
        ImportError: Naming each package, what was found, and the command that installs.
    """
    openmmlab = [line for entry in OPENMMLAB if (line := _complaint(*entry))]
    others = [line for entry in OTHERS if (line := _complaint(*entry))]
    remedies = []
    if openmmlab:
        # Their dependency lists ask for packages that can no longer be installed.
        remedies.append(INSTALL_COMMAND)
    if others:
        remedies.append('pip install torch torchvision opencv-python-headless')
    if remedies:
        raise ImportError(
            f'mmkp cannot be used here: {"; ".join(openmmlab + others)}. '
            f'Install with: {" && ".join(remedies)}'
        )


def _complaint(module: str, distributions: tuple[str, ...], versions: str) -> str:
    if importlib.util.find_spec(module) is None:
        return f'{module} is not installed'
    for distribution in distributions:
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
        if not SpecifierSet(versions).contains(version, prereleases=True):
            return f'{distribution} {version} is installed, {versions} is needed'
    return ''
