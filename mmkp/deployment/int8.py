# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""An ONNX file whose learned layers compute in int8, calibrated on pictures."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .learned_layers import inner_layers
from .onnx_file import library

#: From 8 pictures on more of them changed little: see docs/export.md.
MIN_IMAGES = 8
_LAYERS = ('Conv', 'ConvTranspose', 'Gemm', 'MatMul')
#: What is measured behind the layer, so that no value below 0 takes part of the range.
_ACTIVATIONS = ('Relu', 'Clip')


def int8_file(
    source: str | Path, target: str | Path, batches: Iterable[np.ndarray]
) -> Path:
    """Write an ONNX model whose inner layers compute in int8.

    Weights are int8, one scale an output channel; features are uint8, their ranges from
    smallest to largest on the pictures (static quantization of ONNX Runtime, QDQ). The
    first and last learned layers (:func:`inner_layers`) stay float32, and so do
    normalization, decoding, inputs and outputs: no position is rounded to 8 bits.

    Args:
        source: an ONNX file in float32 with one input.
        target: of the file to write; its metadata are those of the source.
        batches: pictures as the graph takes them, each (B, 3, H, W) float32, such as
            the model was trained on; 8 in all at least, 64 are enough.

    Returns:
        Path of the target.

    Raises:
        ImportError: onnxruntime or onnx is not installed.
        ValueError: too few pictures, or no layer that could be int8.
    """
    onnx = library('onnx', 'int8')
    library('onnxruntime', 'int8')
    from onnxruntime.quantization import QuantType, quant_pre_process, quantize_static

    metadata = {one.key: one.value for one in onnx.load(source).metadata_props}
    with TemporaryDirectory() as folder, _quiet():
        prepared = Path(folder) / 'prepared.onnx'
        # Norms are folded into convolutions; symbolic inference fails on some graphs,
        # and calibration finds the ranges without it.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        nodes = _nodes(prepared)
        if not nodes:
            raise ValueError(f'{source} has no learned layer that could be in int8')
        quantize_static(
            prepared,
            target,
            _Pictures(onnx.load(prepared).graph.input[0].name, batches),
            op_types_to_quantize=[*_LAYERS, *_ACTIVATIONS],
            nodes_to_quantize=nodes,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    model = onnx.load(target)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(target))
    return Path(target)


def _nodes(path: Path) -> list[str]:
    """Names of the layers that become int8, and of the activations behind them."""
    import onnx_ir as ir

    layers = inner_layers(ir.load(path).graph)
    behind = [one for layer in layers for one in layer.successors()]
    chosen = [*layers, *(one for one in behind if one.op_type in _ACTIVATIONS)]
    return [str(node.name) for node in chosen]


class _Pictures:
    """Pictures one batch at a time, as ONNX Runtime asks for them."""

    def __init__(self, name: str, batches: Iterable[np.ndarray]) -> None:
        self._name, self._batches = name, iter(batches)
        self._number = 0

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, None behind the last."""
        batch = next(self._batches, None)
        if batch is None:
            if self._number < MIN_IMAGES:
                raise ValueError(
                    f'int8 is calibrated on {self._number} pictures: give '
                    f'{MIN_IMAGES} at least, of those that the model was trained on'
                )
            return None
        self._number += len(batch)
        return {self._name: np.asarray(batch, np.float32)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep remarks of ONNX Runtime's quantizer, which are for its makers, to itself."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
