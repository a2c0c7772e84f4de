# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A run as one page: to look at it, to name its keypoints and to correct them."""

import hashlib
import json
import shlex
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mmkp
from mmkp.apis.report_sources import source_images
from mmkp.apis.run import Run
from mmkp.datasets.coco_writer import write_atomically
from mmkp.datasets.metainfo import distinct_colors
from mmkp.visualization.report import (
    EmbeddedPictures,
    PageImage,
    page_images,
    render_page,
    render_preview,
)

#: Bytes of a page of up to 200 images; of more, in proportion.
MOST_BYTES, MOST_BYTES_FOR = 2_900_000, 200
# What the pictures get at least, where keypoints alone fill the page.
_LEAST_BYTES = 1000
_MARK = b'<meta name="generator" content="mmkp view">'
_PREVIEWED = 4


@dataclass
class Page:
    """A page that was written; in a notebook it shows a link and its first images.

    Attributes:
        path: of the file.
        num_images: images on it.
        missing: names of those that are gone or damaged.
        num_bytes: of the file.
    """

    path: Path
    num_images: int
    missing: list[str]
    num_bytes: int
    _preview: dict[str, Any] = field(default_factory=dict, repr=False)

    def _repr_html_(self) -> str:
        return render_preview(
            path=self.path.as_posix(),
            number=self.num_images,
            megabytes=f'{self.num_bytes / 1e6:.1f}',
            **self._preview,
        )


def view(
    run: str | Path | Run,
    out: str | Path | None = None,
    max_images: int = 200,
    overwrite: bool = False,
    open: bool = False,
) -> Page:
    """Write a page on which a person looks at a run and corrects it.

    It is one file that needs no network and no server, and is below 3 MB for 200
    images. There keypoints are named, dropped, merged, paired and moved, and images
    marked as bad; ``corrections.json``, which it saves, is read by ``mmkp name``.

    Args:
        run: folder with ``keypoints.json``, see :class:`Run`.
        out: the file; by default ``report.html`` of the run, which is written anew.
        max_images: the most that it holds; of more they are taken evenly spaced.
        overwrite: whether to replace a file that ``out`` names, or a ``report.html``
            that was not written here.
        open: whether to show it in the browser.

    Returns:
        The page.

    Raises:
        FileExistsError: the file exists.
        FileNotFoundError: there is no such run, or it has no keypoints.
        ValueError: its keypoints cannot be read, or ``max_images`` is below 1.
    """
    run = Run(run)
    if max_images < 1:
        raise ValueError(f'max_images is {max_images}: a page holds at least 1 image')
    path = run.path / 'report.html' if out is None else Path(out)
    _check_free(path, is_ours=out is None, overwrite=overwrite)
    keypoints = _keypoints(run)
    file = str(run.path / 'keypoints.json')
    images, number, num_keypoints = page_images(keypoints, max_images, file)
    source = run.source or keypoints.get('source')
    data = _page_data(run, keypoints, images, num_keypoints)
    facts = _facts(run, source, images, number)
    bare = len(_encoded(render_page(facts, data)))
    budget = MOST_BYTES * max(1, len(images) / MOST_BYTES_FOR) - bare
    missing = _embed(run, source, images, max(int(budget), _LEAST_BYTES))
    if missing:
        facts['remarks'].append(_missing_remark(missing, len(images)))
    data['images'] = [image.to_dict() for image in images]
    content = _encoded(render_page(facts, data))
    write_atomically(path, content)
    if open:
        webbrowser.open(path.resolve().as_uri())
    preview = dict(
        title=facts['title'],
        sentence=facts['sentence'],
        colors=[entry['color'] for entry in data['keypoints']],
        images=images[:: max(len(images) // _PREVIEWED, 1)][:_PREVIEWED],
    )
    return Page(path, len(images), missing, len(content), preview)


def _check_free(path: Path, is_ours: bool, overwrite: bool) -> None:
    """Refuse to replace what may be somebody's."""
    if not path.is_file() or overwrite:
        return
    if is_ours and _MARK in path.read_bytes()[:4000]:
        return  # holds nothing that the run does not
    raise FileExistsError(
        f"'{path}' exists: name another file with -o, or give --overwrite"
    )


def _keypoints(run: Run) -> dict[str, Any]:
    if not (run.path / 'keypoints.json').is_file():
        raise FileNotFoundError(
            f"'{run.path}' has no keypoints.json to look at: write it there with "
            f'mmkp predict {shlex.quote(str(run.path))} SOURCE'
        )
    return run.keypoints


def _page_data(
    run: Run,
    keypoints: Mapping[str, Any],
    images: list[PageImage],
    num_keypoints: int,
) -> dict[str, Any]:
    """What the script of the page reads; images without pictures."""
    content = (run.path / 'keypoints.json').read_bytes()
    return dict(
        # Kept corrections belong to these keypoints and to no others.
        key=f'mmkp {hashlib.sha256(content).hexdigest()[:20]}',
        run=run.path.resolve().name,
        source=run.source or keypoints.get('source'),
        keypoints=_known_keypoints(run, keypoints, num_keypoints),
        links=_links(run, keypoints, num_keypoints),
        images=[image.to_dict() for image in images],
    )


def _known_keypoints(
    run: Run, keypoints: Mapping[str, Any], number: int
) -> list[dict[str, Any]]:
    """Name, partner, color, score and verdict of each of the K keypoints."""
    names = run.keypoint_names or []
    partners = {int(a): int(b) for a, b in enumerate(keypoints.get('flip_indices', ()))}
    for a, b in run.info.get('swaps') or ():
        partners.update({int(a): int(b), int(b): int(a)})
    scores = (run.score or {}).get('keypoints') or []
    known = []
    for index, color in enumerate(distinct_colors(number)):
        name = names[index] if index < len(names) else None
        partner = partners.get(index, index)
        is_pair = partner != index and partners.get(partner) == index
        score = scores[index] if index < len(scores) else {}
        known.append(
            dict(
                # The names of discovered keypoints are their numbers.
                name=None if name in (None, '', str(index)) else str(name),
                partner=partner if is_pair and partner < number else None,
                color='#{:02x}{:02x}{:02x}'.format(*(int(value) for value in color)),
                score=score.get('score'),
                verdict=score.get('verdict', ''),
            )
        )
    return known


def _links(
    run: Run, keypoints: Mapping[str, Any], number: int
) -> list[tuple[int, int]]:
    """Pairs of keypoints that are drawn as lines."""
    links = run.info.get('links')
    if links is None:  # as many of the learned ones as a skeleton would have
        edges = sorted(keypoints.get('edges', ()), key=lambda edge: -edge['weight'])
        links = [edge['keypoints'] for edge in edges[:number]]
    pairs = [(int(a), int(b)) for a, b in links]
    return [pair for pair in pairs if 0 <= min(pair) and max(pair) < number]


def _facts(
    run: Run, source: str | None, images: list[PageImage], number: int
) -> dict[str, Any]:
    """What the head of the page says."""
    command = run.info.get('command') or ''
    is_film = all(image.time is not None for image in images)
    what = 'frames' if is_film else 'images'
    remarks = []
    if number > len(images):
        remarks.append(f'{len(images)} of {number} {what} are here, evenly spaced.')
    return dict(
        title=run.path.resolve().name,
        sentence=(run.score or {}).get('sentence', ''),
        figures={
            str(name): _written(value)
            for name, value in (run.info.get('figures') or {}).items()
        },
        command=command if isinstance(command, str) else shlex.join(map(str, command)),
        source=source,
        created=run.info.get('created'),
        version=mmkp.__version__,
        what=what,
        remarks=remarks,
    )


def _written(value: Any) -> str:
    """A figure as text."""
    if isinstance(value, float):
        return f'{value:.4g}'
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _embed(
    run: Run, source: str | None, images: list[PageImage], budget: int
) -> list[str]:
    """Give images their pictures; names of those that have none."""
    encoder = EmbeddedPictures(len(images), budget)
    by_name = {image.name: image for image in images}
    for name, pixels in source_images(run, source, list(by_name)):
        if pixels is None:
            encoder.skip()
        else:
            by_name[name].picture = encoder.encode(pixels)
    return [image.name for image in images if image.picture is None]


def _missing_remark(missing: list[str], number: int) -> str:
    first = ', '.join(missing[:3]) + (', ...' if len(missing) > 3 else '')
    return (
        f'{len(missing)} of {number} images are gone or damaged, so only their '
        f'keypoints are shown: {first}'
    )


def _encoded(page: str) -> bytes:
    """UTF-8; what a file name holds that is no text becomes a question mark."""
    return page.encode(errors='replace')
