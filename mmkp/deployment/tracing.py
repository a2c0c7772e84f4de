# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The operations of a graph, recorded."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from mmpose.models.necks import fmap_proc_neck
from torch import Tensor, nn

from mmkp.labels.hdf5_file import one_line


def trace_graph(
    graph: nn.Module, images: Tensor, dynamic_size: bool = False
) -> torch.export.ExportedProgram:
    """Record the operations of a graph, for any number of images.

    Args:
        graph: of :func:`mmkp.deployment.graphs.build_graph`.
        images: (B, 3, H, W) with B of 2 or more, as the graph takes them.
        dynamic_size: whether H and W may be others too, as far as the network allows.

    Returns:
        The program.

    Raises:
        ValueError: the graph depends on values of its input, or on the number of
            images; what torch says of it is told.
    """
    graph.eval()
    sizes: dict[int, Any] = {0: torch.export.Dim('batch')}
    if dynamic_size:  # torch finds out which: a map may need more than one cell
        sizes[2] = sizes[3] = torch.export.Dim.DYNAMIC
    try:
        with quiet(), torch.no_grad(), sizes_that_are_traced():
            graph(images)
            return torch.export.export(
                graph, (images,), dynamic_shapes=(sizes,), strict=False
            )
    except Exception as error:  # torch has one for each kind of trouble
        raise ValueError(
            f'{type(graph).__name__} cannot be exported for any '
            f'{"size and " if dynamic_size else ""}number of images: {one_line(error)}'
        ) from error


@contextmanager
def sizes_that_are_traced() -> Iterator[None]:
    """Keep MMPose's ``resize`` from making numbers of the sizes of an image."""
    before = fmap_proc_neck.resize
    fmap_proc_neck.resize = _resize
    try:
        yield
    finally:
        fmap_proc_neck.resize = before


def _resize(
    input: Tensor,
    size: Any = None,
    scale_factor: float | None = None,
    mode: str = 'nearest',
    align_corners: bool | None = None,
    warning: bool = True,
) -> Tensor:
    return F.interpolate(input, size, scale_factor, mode, align_corners)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the remarks of torch's exporter, which are for its makers, to itself."""
    names = ('torch', 'onnxscript', 'onnx_ir')
    loggers = [logging.getLogger(name) for name in names]
    before = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)
