# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Label files of one program as those of another."""

import html
from dataclasses import dataclass, field
from pathlib import Path

from mmkp.labels import (
    FORMATS,
    Source,
    find_format,
    losses,
    read_labels,
    write_labels,
)
from mmkp.labels.files import format_of_name

# Of other programs; what to build of them is said by a config, so they have tools.
_WEIGHTS = ('.caffemodel', '.pb', '.pth', '.pt', '.ckpt', '.npz', '.pkl', '.t7')


@dataclass(frozen=True)
class Conversion:
    """What was converted.

    Attributes:
        path: What was written.
        source: What was read.
        source_format: Its format.
        format: That of what was written.
        num_objects: Number of objects.
        num_images: Number of images.
        num_keypoints: Number of keypoints of an object.
        lost: A line a thing that the new format does not hold.
    """

    path: Path
    source: Path
    source_format: str
    format: str
    num_objects: int
    num_images: int
    num_keypoints: int
    lost: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """What was read and written, and what was lost."""
        read, written = (FORMATS[n].title for n in (self.source_format, self.format))
        return [
            f'{self.source} ({read}): {self.num_objects} objects of '
            f'{self.num_keypoints} keypoints in {self.num_images} images',
            f'{self.path} ({written})',
            *(f'not kept: {line}' for line in self.lost),
        ]

    def _repr_html_(self) -> str:
        return '<br>'.join(map(html.escape, self.lines()))


def convert(
    source: str | Path,
    out: str | Path,
    format: str | None = None,
    source_format: str | None = None,
    overwrite: bool = False,
) -> Conversion:
    """Read labels or predictions of one format and write them in another.

    Args:
        source: File or folder of a format of ``mmkp.labels.FORMATS``, or a run.
        out: File or folder to write.
        format: To write, by default that of the suffix of ``out``.
        source_format: To read, by default what the content is.
        overwrite: Whether to replace what is there.

    Returns:
        What was converted, and what was lost.

    Raises:
        FileExistsError: There is something to write over.
        FileNotFoundError: There is nothing to read.
        ImportError: A library is missing; the message has the command.
        ValueError: A format is unknown or cannot be told, or the file is damaged.
    """
    source, out = Path(source), Path(out)
    target = format or format_of_name(out).name
    _refuse_others(source)
    known = source_format or find_format(Source(source)).name
    labels = read_labels(source, known)
    write_labels(labels, out, target, overwrite)
    return Conversion(
        out,
        source,
        known,
        target,
        len(labels),
        len(labels.image_names),
        len(labels.keypoint_names),
        losses(labels, FORMATS[target].keeps),
    )


def _refuse_others(source: Path) -> None:
    """Say where runs without keypoints, and weights, are turned into something."""
    if (source / 'run.json').is_file() and not (source / 'keypoints.json').is_file():
        raise ValueError(
            f"'{source}' is a run without keypoints.json: mmkp predict writes one"
        )
    if source.is_file() and source.suffix.lower() in _WEIGHTS:
        raise ValueError(
            f"'{source}' is a file of weights; tools/model_converters has a tool for "
            'each program, which takes the config of the model too'
        )
