"""JSON files that every reader of JSON can read."""

from typing import Any

from mmengine.fileio import register_handler
from mmengine.fileio.handlers import JsonHandler

from mmkp.ops.finite import finite_or_none


@register_handler('json')
class FiniteJsonHandler(JsonHandler):
    """Writes NaN and infinities as null.

    Python writes them bare, which is no JSON. This holds for all that MMEngine writes:
    the scalars of a training, the metrics of a test.
    """

    def dump_to_fileobj(self, obj: Any, file: Any, **kwargs: Any) -> None:
        """Write an object to an open file."""
        super().dump_to_fileobj(finite_or_none(obj), file, **kwargs)

    def dump_to_str(self, obj: Any, **kwargs: Any) -> str:
        """The text of an object."""
        return super().dump_to_str(finite_or_none(obj), **kwargs)
