# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Models whose weights are fitted to bfloat16 on pictures that they know."""

import sys
from pathlib import Path
from typing import Any

from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmkp.apis.export_pictures import known_source, network_inputs
from mmkp.apis.run import Run
from mmkp.apis.sources import Source
from mmkp.models.bfloat16_weights import fitted_to_bfloat16
from mmkp.models.inference_copy import inference_copy

#: Pictures to fit on, at most.
FITTED = 8


def fitted_copy(model: Any, run: Run | None, source: Source | None = None) -> Any:
    """Copy a model for bfloat16: normalizations folded, then weights fitted.

    One line says on what, or why not.

    Args:
        model: of :func:`mmkp.apis.load_model`, on a CPU.
        run: that the model is of. Its own pictures are taken, where they are there.
        source: whose first pictures are taken else; no camera, which gives each
            picture once.

    Returns:
        The copy; the model itself where there is no picture, or where its
        normalizations cannot be folded.
    """
    taken = known_source(run, None)
    if taken is None and not _is_camera(source):
        taken = source
    try:
        if taken is None:
            raise ValueError('there is no picture to fit them on')
        inputs = _inputs(model, taken)
        fitted = fitted_to_bfloat16(inference_copy(model, inputs[0]), inputs)
    except (OSError, ValueError) as error:
        print(
            f'bfloat16: weights become the nearest numbers, not fitted: {error}',
            file=sys.stderr,
        )
        return model
    shown = f"'{taken}'" if isinstance(taken, str | Path) else 'the source'
    number = f'{len(inputs)} picture{"s" if len(inputs) > 1 else ""}'
    print(f'bfloat16: weights fitted on {number} of {shown}', file=sys.stderr)
    return fitted


def _inputs(model: Any, source: Source) -> list[Tensor]:
    """What the network sees of pictures, each (1, 3, H, W)."""
    pictures = network_inputs(model, source, FITTED)[:FITTED]
    batches = [pseudo_collate([picture.packed]) for picture in pictures]
    return [model.data_preprocessor(batch)['inputs'] for batch in batches]


def _is_camera(source: Source | None) -> bool:
    """Whether it is the index of one."""
    return isinstance(source, int) or (isinstance(source, str) and source.isdigit())
