# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Graphs as files that torch alone reads."""

import warnings
from pathlib import Path

import torch

from mmkp.deployment.description import METADATA_KEY, ExportDescription
from mmkp.deployment.onnx_file import CONFIG_KEY


def write_torch(
    program: torch.export.ExportedProgram,
    path: str | Path,
    description: ExportDescription,
    config_text: str = '',
) -> Path:
    """Write a program of ``torch.export``, ``.pt2``.

    It holds operations of torch only, so mmkp need not be there to load it. TorchScript
    could be loaded so too; torch has given it up, and it knows no dynamic sizes.

    Args:
        program: of :func:`mmkp.deployment.onnx_file.trace_graph`.
        path: of the file.
        description: what the file says of itself.
        config_text: of the config, which the file holds too.

    Returns:
        The path.
    """
    texts = {METADATA_KEY: description.to_json(), CONFIG_KEY: config_text}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.export.save(program, str(path), extra_files=texts)
    return Path(path)
