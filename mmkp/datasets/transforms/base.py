# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the transforms of this room share."""

import inspect

from mmcv.transforms import BaseTransform


class Transform(BaseTransform):
    """A transform that keeps its arguments under their names, and shows them."""

    def __repr__(self) -> str:
        """Name the transform with its arguments."""
        names = list(inspect.signature(type(self)).parameters)
        shown = ', '.join(f'{name}={getattr(self, name)!r}' for name in names)
        return f'{type(self).__name__}({shown})'
