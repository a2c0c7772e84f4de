# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a folder of images or a film is like, before anything is trained on it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmkp.apis.films import Film
from mmkp.apis.media import Media
from mmkp.apis.working_images import reduced
from mmkp.datasets.figure_ground import (
    background_distance,
    object_pixels,
    standing_share,
)
from mmkp.datasets.image_decoding import ORIENTATION, CorruptImageError
from mmkp.evaluation.score_keypoints import UPRIGHT

#: Images that are looked at, and how long their longer side is then, in pixels; that of
#: the scene behind them, and of how many images it is the median at least.
LOOKED_AT, SIDE, SCENE_SIDE, ENOUGH = 40, 320, 1024, 8
#: From this separability on the background explains what is no object, if it is off by
#: at most that share of the object's contrast. Films of mice and flies, seedlings and
#: bees have .81 to .94 and at most .05; photographs of faces, people and animals, and
#: mice before mirrors, .64 to .74 or .28 and more.
SEPARABILITY, UNEXPLAINED = 0.78, 0.15
#: From this share on objects stand the same way. Figures on their feet have .97; mice,
#: flies and bees seen from above and seedlings .17 to .73.
STANDING = 0.85
#: Degrees, a deviation, by which images are turned to score keypoints of objects that
#: lie any way; of others see :data:`UPRIGHT`.
TURNED = 20.0


@dataclass(frozen=True)
class Survey:
    """What was found.

    Args:
        length: number of images or frames; None of a film that does not say.
        sizes: how often there is which (width, height), the most frequent first.
        num_turned: images that their EXIF tag turns.
        duplicates: groups of names whose files are equal.
        damaged: names of images that cannot be read, among those looked at.
        frames_per_second: of a film, else 0.
        separability: Otsu's criterion, between-class over total variance of the
            distances from the background, in [0, 1]; the median of images.
        unexplained: median distance of the background, over that of the object.
        single: share of what differs from the background that is one connected part.
        standing: share of the objects that stand as the others do, see
            :func:`mmkp.datasets.figure_ground.standing_share`.
        scene: what a still camera sees without the object, (h, w, 3) uint8: all images
            are of one size, and the median over them explains more of each than its
            border does.
    """

    length: int | None
    sizes: list[tuple[tuple[int, int], int]]
    num_turned: int = 0
    duplicates: list[list[str]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    frames_per_second: float = 0.0
    separability: float = 0.0
    unexplained: float = 1.0
    single: float = 1.0
    standing: float = 0.0
    scene: np.ndarray | None = None

    @property
    def is_plain(self) -> bool:
        """Whether one object lies before a background that colors or time tell."""
        return self.separability >= SEPARABILITY and self.unexplained <= UNEXPLAINED

    @property
    def is_standing(self) -> bool:
        """Whether the objects stand the same way in all images."""
        return self.standing >= STANDING

    @property
    def score_rotation(self) -> float:
        """Degrees by which :func:`score_keypoints` turns such images, a deviation."""
        return TURNED if self.is_plain and not self.is_standing else UPRIGHT

    def sentences(self) -> list[str]:
        """What a person should know, a line each."""
        unit = 'frames' if self.frames_per_second else 'images'
        (width, height), _ = self.sizes[0]
        number = (
            'a film of unknown length'
            if self.length is None
            else (f'{self.length:,} {unit}')
        )
        lines = [number]
        if self.frames_per_second:
            lines[0] += f' at {self.frames_per_second:.3g} a second'
        lines[0] += (
            f' of {width} x {height} pixels'
            if len(self.sizes) == 1
            else f' of {len(self.sizes)} sizes, most often {width} x {height} pixels'
        )
        if self.num_turned:
            lines.append(f'{self.num_turned} are turned upright as their EXIF tag says')
        if self.duplicates:
            extra = sum(map(len, self.duplicates)) - len(self.duplicates)
            lines.append(
                f'{extra} are copies of others and left out of the training, e.g. '
                f'{self.duplicates[0][1]} of {self.duplicates[0][0]}'
            )
        if self.damaged:
            lines.append(f'damaged and left out: {", ".join(self.damaged)}')
        return lines

    def object_sentences(self, has_boxes: bool = False) -> list[str]:
        """What a person should know of objects that are cut out, a line each.

        Args:
            has_boxes: whether the images are what is in boxes.
        """
        what = 'a plain background' if self.scene is None else 'a still scene'
        way = 'the same way' if self.is_standing else 'any way'
        lines = [
            f'the object stands out from {what}, so it is cut out first; views are '
            f'turned as those of objects that stand {way}'
        ]
        if self.single < 0.7 and not has_boxes:
            lines.append(
                'there seem to be several objects: only the largest is looked at; '
                'give their boxes by --boxes for all of them'
            )
        return lines


def survey(media: Media, still: bool = True) -> Survey:
    """Look at the files of a source, and at some of its images.

    Args:
        media: images or a film.
        still: whether one camera may have taken all images from one place.

    Returns:
        What they are like.

    Raises:
        CorruptImageError: none of the images looked at can be read.
    """
    images, damaged = _some_images(media)
    if not images:
        raise CorruptImageError(
            f"'{media.folder}': none of {len(damaged)} images that were looked at can "
            f'be read, e.g. {damaged[0]}'
        )
    looked_at = [reduced(image, SCENE_SIDE) for image in images]
    found = _figure_and_ground(looked_at, still)
    if media.is_video:
        shown = Counter((image.shape[1], image.shape[0]) for image in images)
        return Survey(
            media.length,
            shown.most_common(),
            frames_per_second=media.frames_per_second,
            **found,
        )
    paths = {part.name: part.path for part in media.parts if part.path}
    sizes, num_turned = _headers(list(paths.values()))
    return Survey(
        media.length,
        sizes,
        num_turned,
        _equal_files(paths),
        damaged,
        **found,
    )


def _some_images(media: Media) -> tuple[list[np.ndarray], list[str]]:
    """Images, evenly spread, and the names of those that cannot be read."""
    films = [part.film for part in media.parts if isinstance(part.film, Film)]
    shown = [part for part in media.parts if part.film is None]
    images = [frame for film in films for frame in _some_frames(film, len(films))]
    damaged = []
    places = np.linspace(0, len(shown) - 1, min(LOOKED_AT, len(shown)))
    for place in places.round().astype(int):
        try:
            images.append(shown[place].read())
        except CorruptImageError:
            damaged.append(shown[place].name)
    return images, damaged


def _some_frames(film: Film, num_films: int) -> list[np.ndarray]:
    """Frames of a film, evenly spread, as far as it can be wound."""
    number = -(-LOOKED_AT // num_films)
    video = cv2.VideoCapture(str(film.path))
    frames = []
    last = (film.num_declared or 1) - 1
    for place in np.unique(np.linspace(0, last, number).round()):
        video.set(cv2.CAP_PROP_POS_FRAMES, float(place))
        good, frame = video.read()
        if good:
            frames.append(frame)
    video.release()
    # Moving pictures, and films of unknown length, are not wound.
    return frames or [frame.image for frame in islice(film, number)]


def _figure_and_ground(images: Sequence[np.ndarray], may_be_still: bool) -> dict:
    """How well background and object can be told apart, by the medians of images."""
    scene = None
    of_one_size = len({image.shape for image in images}) == 1
    if may_be_still and of_one_size and len(images) >= ENOUGH:
        scene = np.median(images, axis=0).astype(np.uint8)
    small = [reduced(image, SIDE) for image in images]
    behind = None if scene is None else reduced(scene, SIDE)
    found = [one for image in small if (one := _of_one(image, behind)) is not None]
    if not found:
        return {}
    rows, objects = zip(*found, strict=True)
    separability, unexplained, single, still = np.median(rows, axis=0).tolist()
    return dict(
        separability=separability,
        unexplained=unexplained,
        single=single,
        standing=standing_share(objects),
        scene=scene if still > 0.5 else None,
    )


def _of_one(
    image: np.ndarray, scene: np.ndarray | None
) -> tuple[tuple[float, float, float, float], np.ndarray] | None:
    """Figures of one image and its object, None where nothing differs."""
    nearest = background_distance(image, scene)
    distance = nearest.clip(0, 255).astype(np.uint8)
    limit, _ = cv2.threshold(distance, 0, 255, cv2.THRESH_OTSU)
    differs = distance > limit
    mask = object_pixels(nearest, scene is not None)
    share, variance = differs.mean(), distance.astype(float).var()
    if not mask.any() or mask.all() or share in (0, 1):
        return None
    # Otsu, IEEE Transactions on Systems, Man, and Cybernetics 1979, eq. 12 and 14.
    apart = distance[differs].mean() - distance[~differs].mean()
    separability = share * (1 - share) * apart**2 / variance
    unexplained = np.median(distance[~mask]) / distance[mask].mean()
    by_border = np.median(background_distance(image, None)[::2, ::2])
    still = scene is not None and np.median(nearest[::2, ::2]) < by_border
    single = mask.sum() / object_pixels(nearest, scene is not None, False).sum()
    return (separability, unexplained, single, float(still)), nearest * mask


def _headers(
    paths: Sequence[Path],
) -> tuple[list[tuple[tuple[int, int], int]], int]:
    """Sizes by number of images, upright, and how many the EXIF tag turns."""
    sizes: Counter = Counter()
    num_turned = 0
    for path in paths:
        try:
            with Image.open(path) as image:
                tag = image.getexif().get(ORIENTATION, 1)
                size = image.size
        except Exception:  # whatever is damaged, told when it is decoded
            continue
        num_turned += tag not in (0, 1)
        sizes[size[::-1] if tag in (5, 6, 7, 8) else size] += 1
    return sizes.most_common() or [((0, 0), 0)], num_turned


def _equal_files(paths: dict[str, Path]) -> list[list[str]]:
    """Groups of names of equal files; only files of equal length are read."""
    by_length: defaultdict = defaultdict(list)
    for name, path in paths.items():
        by_length[path.stat().st_size if path.is_file() else -1].append(name)
    groups: defaultdict = defaultdict(list)
    for length, names in by_length.items():
        for name in names if length > 0 and len(names) > 1 else ():
            groups[hashlib.sha256(paths[name].read_bytes()).digest()].append(name)
    return [names for names in groups.values() if len(names) > 1]
