"""Part affinity fields to people as published demos do it, written plainly.

All maps are enlarged to the input's size, heatmaps are smoothed, peaks are looked for
in every pixel, and each pair of peaks is sampled in a loop. The decoder of mmkp is
measured against it.
"""

import cv2
import numpy as np

from mmkp.codecs import LimbSkeleton

_PEAK_THRESHOLD = 0.1
_SAMPLE_THRESHOLD = 0.05
_NUM_SAMPLES = 10


def decode_at_full_resolution(
    heatmaps: np.ndarray, fields: np.ndarray, skeleton: LimbSkeleton, stride: int
) -> list[tuple[np.ndarray, float]]:
    """Find the people of one image.

    Args:
        heatmaps: (K, h, w) float32.
        fields: (2 L, h, w) float32.
        skeleton: keypoints and limbs.
        stride: input pixels a cell.

    Returns:
        For each person keypoints (K, 3) in input pixels, x, y and score, and its score.
    """
    peaks = [_peaks(heatmap, stride) for heatmap in heatmaps]
    people: list[dict] = []
    for limb in skeleton.assembly_order:
        a_part, b_part = skeleton.limbs[limb]
        field = [_enlarged(m, stride) for m in fields[2 * limb : 2 * limb + 2]]
        pairs = []
        for i, a in enumerate(peaks[a_part]):
            for j, b in enumerate(peaks[b_part]):
                score = _limb_score(field, a, b)
                if score is not None:
                    pairs.append((score, i, j))
        taken_a, taken_b = set(), set()
        for score, i, j in sorted(pairs, reverse=True):
            if i not in taken_a and j not in taken_b:
                taken_a.add(i)
                taken_b.add(j)
                _add(people, (a_part, i), (b_part, j), score)
    found = []
    for person in people:
        keypoints = np.zeros((skeleton.num_keypoints, 3))
        for part, index in person['parts']:
            keypoints[part] = peaks[part][index]
        total = person['score'] + keypoints[:, 2].sum()
        number = len(person['parts'])
        if number >= 3 and total / number >= 0.2:
            found.append((keypoints, total / number))
    return found


def _enlarged(values: np.ndarray, stride: int) -> np.ndarray:
    return cv2.resize(values, None, None, stride, stride, cv2.INTER_CUBIC)


def _peaks(heatmap: np.ndarray, stride: int) -> list[tuple[float, float, float]]:
    """Strict maxima of the smoothed map, x, y and score."""
    smooth = cv2.GaussianBlur(_enlarged(heatmap, stride), (0, 0), 3)
    padded = np.pad(smooth, 1)
    center = padded[1:-1, 1:-1]
    is_peak = center > _PEAK_THRESHOLD
    is_peak &= (center > padded[:-2, 1:-1]) & (center > padded[2:, 1:-1])
    is_peak &= (center > padded[1:-1, :-2]) & (center > padded[1:-1, 2:])
    return [(x, y, center[y, x]) for y, x in zip(*np.nonzero(is_peak), strict=True)]


def _limb_score(field: list[np.ndarray], a: tuple, b: tuple) -> float | None:
    """Mean of the field along the limb, None where too little supports the limb."""
    along = np.array([b[0] - a[0], b[1] - a[1]], float)
    length = np.linalg.norm(along)
    if length == 0:
        return None
    samples = []
    for step in np.linspace(0, 1, _NUM_SAMPLES):
        x, y = round(a[0] + step * along[0]), round(a[1] + step * along[1])
        samples.append((field[0][y, x] * along[0] + field[1][y, x] * along[1]) / length)
    passing = np.mean(np.array(samples) > _SAMPLE_THRESHOLD)
    return float(np.mean(samples)) if passing >= 0.8 else None


def _add(people: list[dict], a: tuple, b: tuple, score: float) -> None:
    """Let a limb begin, extend or unite people."""
    owners = [person for person in people if {a, b} & person['parts']]
    if not owners:
        people.append(dict(parts={a, b}, score=score))
    elif len(owners) == 1:
        kinds = {part for part, _ in owners[0]['parts'] - {a, b}}
        if not kinds & {a[0], b[0]}:
            owners[0]['parts'] |= {a, b}
            owners[0]['score'] += score
    else:
        first, second = owners
        if not {part for part, _ in first['parts']} & {p for p, _ in second['parts']}:
            first['parts'] |= second['parts']
            first['score'] += second['score'] + score
            people.remove(second)
