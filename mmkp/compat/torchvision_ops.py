"""torchvision whose compiled operators do not match the installed torch."""

import importlib.util
import sys
from pathlib import Path

import torch

# A torch.library.Library withdraws its definitions when it is collected.
_libraries: list[torch.library.Library] = []


def declare_torchvision_ops() -> bool:
    """Let torchvision import although its compiled operators cannot be loaded.

    The wheel that the package index serves is built for CUDA. Beside a CPU build of
    torch its library does not load, and ``import torchvision`` stops with ``operator
    torchvision::nms does not exist`` because it describes that operator without
    asking whether it is there. MMPose needs nothing compiled from torchvision, so
    declaring the operators' signatures is enough; calling one still raises.

    Upstream: pytorch/vision#9077, #9085, pytorch/pytorch#122494, #157648.

    Returns:
        Whether the operators had to be declared.
    """
    if 'torchvision' in sys.modules or _compiled_ops_load():
        return False
    library = torch.library.Library('torchvision', 'FRAGMENT')
    for name in ('nms', 'qnms'):
        if not hasattr(torch.ops.torchvision, name):
            library.define(
                f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'
            )
    _libraries.append(library)
    return True


def _compiled_ops_load() -> bool:
    """Whether torchvision's library loads, or there is none that could be mended."""
    spec = importlib.util.find_spec('torchvision')
    if spec is None or not spec.submodule_search_locations:
        return True
    folder = Path(spec.submodule_search_locations[0])
    libraries = [*folder.glob('_C*.so'), *folder.glob('_C*.pyd')]
    try:
        for library in libraries:
            torch.ops.load_library(str(library))
    except (OSError, RuntimeError):
        return False
    return bool(libraries)
