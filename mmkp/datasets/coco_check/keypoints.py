# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The keypoints of COCO-style annotations: ``x, y, visibility`` of each."""

from collections import Counter
from typing import Any, NoReturn, TypeGuard

from .categories import number_of_landmarks
from .notes import Notes
from .values import MAX_COORDINATE, as_number

_FLAGS = frozenset((0, 1, 2))
_NUMBERS = frozenset((int, float))


def counts_of_keypoints(
    annotations: list[dict], categories: dict[int | str, dict]
) -> dict[int, int]:
    """Find how many keypoints the annotations of each category have.

    Args:
        annotations: With ``category_id`` as in ``categories``' values.
        categories: What they name is not what counts where all annotations agree about
            another number.

    Returns:
        Category id -> K, of categories that have keypoints.
    """
    lengths: dict[int, Counter] = {}
    for annotation in annotations:
        values = annotation.get('keypoints')
        if isinstance(values, list) and values:
            size = len(values)
            if isinstance(values[0], list):
                size = 3 * size
            counter = lengths.setdefault(annotation['category_id'], Counter())
            counter[size] += 1
    counts = {}
    for category in categories.values():
        key = category['id']
        found = lengths.get(key, Counter())
        named = number_of_landmarks(category)
        if named and (not found or 3 * named in found or 2 * named in found):
            counts[key] = named
        elif len(found) == 1 and not next(iter(found)) % 3:
            counts[key] = next(iter(found)) // 3
        elif found:
            counts[key] = named or found.most_common(1)[0][0] // 3
    return counts


class KeypointCheck:
    """Brings the keypoints of one annotation after another into COCO's form.

    Args:
        notes: Takes what was changed.
    """

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        # Whether some coordinates are no fractions of the image.
        self.has_pixels = False
        self.has_labels = False

    def __call__(self, annotation: dict, number: int, name: str) -> int:
        """Check the keypoints of an annotation, in place.

        Args:
            annotation: Its ``keypoints``, and ``num_keypoints``.
            number: K, how many it should have.
            name: Of the annotation.

        Returns:
            How many are labelled.

        Raises:
            ValueError: If there are more or fewer, or one is no number.
        """
        values = annotation.get('keypoints')
        if values is None or (isinstance(values, list) and not values):
            annotation['keypoints'] = [0] * (3 * number)
            if not annotation.get('iscrowd'):
                self.notes.add(
                    'annotations have no keypoints: they are of nobody labelled', name
                )
            return self._count(annotation, 0, name)
        # What is as it should be, as in COCO's own files, passes quickly.
        if (
            type(values) is list
            and len(values) == 3 * number
            and _NUMBERS.issuperset(map(type, values))
        ):
            flags = values[2::3]
            try:
                total: float = sum(values)
            except OverflowError:  # whole numbers of hundreds of digits, and floats
                total = MAX_COORDINATE
            if abs(total) < MAX_COORDINATE and _FLAGS.issuperset(flags):
                labeled = number - flags.count(0)
                coordinates = total - sum(flags)
                if not labeled or coordinates > 4 * number:
                    self.has_pixels |= labeled > 0
                    return self._count(annotation, labeled, name)
        triplets = self._repaired(self._triplets(values, number, name), name)
        annotation['keypoints'] = [value for point in triplets for value in point]
        seen = [point for point in triplets if point[2]]
        self.has_labels |= bool(seen)
        self.has_pixels |= any(
            x > 1 or y > 1 or (x in (0, 1) and y in (0, 1)) for x, y, _ in seen
        )
        return self._count(annotation, len(seen), name)

    def _count(self, annotation: dict, labeled: int, name: str) -> int:
        if annotation.get('num_keypoints', labeled) != labeled:
            self.notes.add(
                'annotations have another num_keypoints than keypoints that are '
                'labelled: it is counted',
                f'{name} ({annotation["num_keypoints"]} instead of {labeled})',
            )
        annotation['num_keypoints'] = labeled
        return labeled

    def _triplets(self, values: Any, number: int, name: str) -> list[list]:
        """Points as x, y, flag; of pairs each is labelled."""
        if isinstance(values, list) and isinstance(values[0], list):
            points = values
            if all(isinstance(p, list) and len(p) == 2 for p in points):
                points = [[*point, 2] for point in points]
                self.notes.add('annotations have pairs x, y for keypoints', name)
            elif not all(isinstance(p, list) and len(p) == 3 for p in points):
                self._refuse(values, number, name)
        elif isinstance(values, list) and len(values) == 3 * number:
            points = [values[i : i + 3] for i in range(0, 3 * number, 3)]
        elif isinstance(values, list) and len(values) == 2 * number:
            flags = values[2::3]
            if not len(values) % 3 and _FLAGS.issuperset(map(as_number, flags)):
                self._refuse(values, number, name)  # fewer points, or pairs
            points = [[*values[i : i + 2], 2] for i in range(0, 2 * number, 2)]
            self.notes.add('annotations have pairs x, y for keypoints', name)
        else:
            self._refuse(values, number, name)
        if len(points) != number:
            self._refuse([v for point in points for v in point], number, name)
        return points

    def _refuse(self, values: Any, number: int, name: str) -> NoReturn:
        found = f'{len(values)} numbers' if isinstance(values, list) else repr(values)
        raise ValueError(
            f'{self.notes.path}: {name} has {found:.60}, {3 * number} are expected '
            '(x, y, visibility of each keypoint)'
        )

    def _repaired(self, triplets: list[list], name: str) -> list[list]:
        """Points with finite coordinates and a flag of 0, 1 or 2."""
        undefined = odd_flags = 0
        points: list[list] = []
        for x, y, flag in triplets:
            for value in (x, y, flag):
                if isinstance(value, str | list | dict) and as_number(value) is None:
                    raise ValueError(
                        f'{self.notes.path}: {name} has {value!r:.40} among its '
                        'keypoints, where a number is expected'
                    )
            place, seen = (as_number(x), as_number(y)), as_number(flag)
            hidden = seen is None or any(
                n is None or abs(n) >= MAX_COORDINATE for n in place
            )
            if hidden:
                undefined += flag != 0
                points.append([0, 0, 0])
                continue
            assert seen is not None
            if seen not in _FLAGS:
                odd_flags += 1
                seen = 2 if seen > 0 else 0
            points.append([*place, int(seen)])
        labeled = [point for point in points if point[2]]
        if labeled and all(point[:2] == [0, 0] for point in labeled):
            # Also how tools write that there is nothing; one point may lie there.
            if len(labeled) > 1:
                self.notes.add('annotations have all their keypoints at (0, 0)', name)
                points = [[0, 0, 0] for _ in points]
        if undefined:
            self.notes.add(
                'annotations have keypoints that have no finite coordinates and count '
                'as invisible',
                f'{undefined} of {name}',
            )
        if odd_flags:
            self.notes.add(
                'annotations have visibilities other than 0, 1 and 2: positive ones '
                'count as visible',
                name,
            )
        return points


def is_finite_box(box: Any) -> TypeGuard[list[float]]:
    """Whether a value is four numbers of pixels, as json has them.

    Args:
        box: Of an annotation.

    Returns:
        Whether it is.
    """
    return (
        type(box) is list
        and len(box) == 4
        and _NUMBERS.issuperset(map(type, box))
        and all(abs(n) < MAX_COORDINATE for n in box)
    )
