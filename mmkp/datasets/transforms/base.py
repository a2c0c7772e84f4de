# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the transforms of this room share."""

import inspect
from collections.abc import Sequence

from mmcv.transforms import BaseTransform


class Transform(BaseTransform):
    """A transform that keeps its arguments under their names, and shows them."""

    def __repr__(self) -> str:
        """Name the transform with its arguments."""
        names = list(inspect.signature(type(self)).parameters)
        shown = ', '.join(f'{name}={getattr(self, name)!r}' for name in names)
        return f'{type(self).__name__}({shown})'


def checked_input_size(input_size: Sequence[int]) -> tuple[int, int]:
    """Return width and height, or raise ValueError unless they are whole pixels."""
    size = tuple(input_size)
    if len(size) != 2 or not all(isinstance(n, int) and n > 0 for n in size):
        raise ValueError(
            f'input_size must be (width, height) in whole pixels, got {input_size}'
        )
    return size
