# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Graphs as files that torch alone reads."""

import warnings
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from mmkp.deployment.description import METADATA_KEY, ExportDescription
from mmkp.deployment.onnx_file import CONFIG_KEY
from mmkp.deployment.tracing import quiet, sizes_that_are_traced
from mmkp.labels.hdf5_file import one_line


def write_torch(
    graph: nn.Module,
    images: Tensor,
    path: str | Path,
    description: ExportDescription,
    config_text: str = '',
) -> Path:
    """Write a frozen TorchScript program, ``.pt``.

    It loads where mmkp is not installed, and loading it runs no Python: torch reads it
    in C++. The newer ``.pt2`` of ``torch.export`` would be loaded by pickle where the
    file asks for it, and its sizes by Python's ``eval``.

    Args:
        graph: of :func:`mmkp.deployment.graphs.build_graph`.
        images: (B, 3, H, W), as the graph takes them.
        path: of the file.
        description: what the file says of itself.
        config_text: of the config, which the file holds too.

    Returns:
        The path.

    Raises:
        ValueError: the graph depends on values of its input.
    """
    texts = {METADATA_KEY: description.to_json(), CONFIG_KEY: config_text}
    graph.eval()
    try:
        with quiet(), torch.no_grad(), sizes_that_are_traced():
            graph(images)
            traced = torch.jit.trace(graph, (images,), check_trace=False, strict=False)
            frozen = torch.jit.freeze(traced)
    except Exception as error:  # torch has one for each kind of trouble
        raise ValueError(
            f'{description.model} has no form in TorchScript: {one_line(error)}'
        ) from error
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch tells that it has something newer
        whole = Path(folder) / Path(path).name
        torch.jit.save(frozen, str(whole), _extra_files=texts)
        _without_origins(whole, Path(path))
    return Path(path)


def _without_origins(source: Path, target: Path) -> None:
    """Copy an archive but for where in which file of this machine lines come from."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, 'w') as new:
        for info in old.infolist():
            if not info.filename.endswith('.debug_pkl'):
                new.writestr(info, old.read(info))
