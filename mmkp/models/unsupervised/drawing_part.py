# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The generator of a model, which draws as many keypoints as the head finds."""

from typing import Any

from mmpose.registry import MODELS
from torch import nn

from mmkp.engine.config_check import accepted_arguments


def build_generator(config: dict[str, Any], num_keypoints: int) -> nn.Module:
    """Build a generator.

    Args:
        config: of any registered module; its ``num_keypoints`` may be left out.
        num_keypoints: number K of keypoints that the head finds.

    Returns:
        The generator.

    Raises:
        ValueError: it draws another number of keypoints.
    """
    kind = config.get('type')
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    if 'num_keypoints' in (accepted_arguments(kind) or ()):
        config = {'num_keypoints': num_keypoints, **config}
    generator = MODELS.build(config)
    num_drawn = getattr(generator, 'num_keypoints', num_keypoints)
    if num_drawn != num_keypoints:
        raise ValueError(
            f'the head finds {num_keypoints} keypoints but the generator '
            f"draws {num_drawn}: leave out the generator's num_keypoints"
        )
    return generator
