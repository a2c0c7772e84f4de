# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of pictures and films by an export of mmkp, without torch and mmkp."""

import argparse
import json
from importlib import import_module, util
from pathlib import Path

import cv2
import numpy as np


def place(image, box, how):
    """Network input of a box x1, y1, x2, y2, and the way back: x * ratio + corner."""
    whole, gray = np.array(image.shape[1::-1]), (how.get('pad_val', 0),) * 3
    kind, size = how['type'], np.array(how.get('input_size', whole))
    center, scale = (box[2:] + box[:2]) / 2, (box[2:] - box[:2]) * how['box_padding']
    if kind == 'affine' or how.get('keep_aspect_ratio'):
        scale = np.maximum(scale, scale[::-1] * size / size[::-1])
    elif kind == 'height':  # pads it to whole cells
        factor, ratio = how['size_factor'], max(whole / [how['max_aspect'], 1])
        size = np.ceil(whole / ratio * how['height'] / factor - 1e-6) * factor
        scale = np.maximum(np.round(size * ratio / how['height']), whole)
        center, size = scale / 2, size.astype(int)
    if kind == 'affine':  # MMPose's, which samples at points
        zoom = (size - how['use_udp']) / scale
        matrix = np.c_[np.diag(zoom), (size - how['use_udp']) / 2 - zoom * center]
        image = cv2.warpAffine(image, matrix, size.tolist())
        return image, scale / size, center - scale / 2
    low = np.round(center - scale / 2).astype(int)
    high = np.maximum(np.round(center + scale / 2).astype(int), low + 1)
    cut, ratio = np.c_[np.eye(2), -low], (high - low) / size
    image = cv2.warpAffine(image, cut, (high - low).tolist(), flags=0, borderValue=gray)
    if kind == 'resize' or max(ratio) > 2:  # INTER_AREA, where it shrinks
        image = cv2.resize(image, np.fmin(high - low, size).tolist(), interpolation=3)
    return cv2.resize(image, size.tolist()), ratio, low + (ratio - 1) / 2


def group(peaks, limbs, tables):
    """Match limbs, best first, and join peaks: rows (N, K), scores of limbs (N,)."""
    rules, used, gaps = tables['rules'], set(), []  # type: ignore
    xy = np.vstack([peaks[:, 2:4], [np.nan, np.nan]])  # the last, -1, of no peak
    who = np.full((len(peaks), len(tables['flip_indices'])), -1)
    owner, total = np.arange(len(peaks)), np.zeros(len(peaks))
    who[owner, peaks[:, 1].astype(int)] = owner

    def unite(first, second):
        fits = not ((who[first] >= 0) & (who[second] >= 0)).any()
        if fits:
            who[first], who[second] = np.maximum(who[first], who[second]), -1
            owner[owner == second] = first
            total[first] += total[second]
        return fits

    rank = np.argsort(tables['assembly_order'])[limbs[:, 0].astype(int)]
    for limb, a, b, score in limbs[np.lexsort((-limbs[:, 3], rank))]:
        if used.isdisjoint({(limb, a), (limb, b)}):
            used |= {(limb, a), (limb, b)}
            first, second = owner[[int(a), int(b)]]
            grown = ((who[[first, second]] >= 0).sum(1) > 1).sum()
            fits = (limb not in tables['redundant_limbs'], True, rules['merge'])[grown]
            if first == second or (fits and unite(first, second)):
                total[first] += score
    who[((who >= 0).sum(1) == 1) & (peaks[:, 4] <= rules['min_single_score'])] = -1
    start, end = np.moveaxis(xy[who[:, tables['limbs']]], 2, 0)
    lengths = np.linalg.norm(start - end, axis=2)
    length = np.nansum(lengths, 1) / np.maximum((lengths >= 0).sum(1), 1)
    longer = np.maximum(length[:, None], length)
    for *ends, between in tables['missing_links']:
        a, b = np.where(who[:, between] < 0, who[:, ends].T, -1)
        gap = np.linalg.norm(xy[a, None] - xy[b], axis=2) / np.maximum(longer, 1)
        near = np.argwhere((gap < rules['max_gap']) & (longer > 0))
        gaps += [(gap[p, q], a[p], b[q]) for p, q in near]
    for _, a, b in sorted(gaps):
        unite(owner[a], owner[b])
    return who, total


def search(points, scores, heatmaps, fields, tables):
    """Walk along fields to keypoints that lack a peak; a share of the heat scores."""
    found, best, rule = scores > 0, scores * 0, tables['search']
    shift, last = tables['field_offset'], np.array(fields.shape[:0:-1]) - 1
    steps, edges = np.arange(1, rule['num_steps'] + 1), np.array(tables['edges'])

    def at(maps, places):
        i, j = np.clip(places + 0.5, 0, last).astype(int).T
        return maps[..., j, i].T

    for n, edge in np.argwhere(~found[:, edges[:, 0]] & found[:, edges[:, 1]]):
        k, other, limb, sign = edges[edge]
        field, start = sign * fields[2 * limb : 2 * limb + 2], points[n, other]
        along = at(field, start + shift)
        length = np.linalg.norm(along)
        along = along / (length if length >= rule['least_field'] else np.inf)
        reach = np.ptp(points[n, found[n]], 0).max() * rule['reach']
        step = max(reach, rule['least_reach']) / len(steps)
        way = start + along * step * steps[:, None]
        support = (at(field, way + shift) @ along).cumsum() / steps
        heat = at(heatmaps[k], way) * ((way > -0.5) & (way < last + 0.5)).all(1)
        score = (heat.clip(0) * support.clip(0)).astype(np.float32)
        away = np.linalg.norm(points[found[:, k], k] - way[s := score.argmax()], axis=1)
        if score[s] > best[n, k] and (away >= rule['taken_radius']).all():
            best[n, k], points[n, k] = score[s], way[s]
            scores[n, k] = heat[s] * rule['share']


def people(outputs, tables):
    """Keypoints (N, K, 2) in the input, their scores (N, K), and scores (N,)."""
    peaks, limbs, heatmaps, fields = (np.asarray(one, float) for one in outputs)
    rules, mirror = tables['rules'], tables['flip_indices']
    who, total = group(peaks, limbs, tables)
    scores, number = np.append(peaks[:, 4], 0)[who], (who >= 0).sum(1)
    totals = (scores.sum(1) + total) / np.maximum(number, 1)
    kept = (number >= rules['min_keypoints']) & (totals >= rules['min_score'])
    totals *= number * (number - 1) if rules['scores_by_sum'] else 0.5
    order = [n for n in np.argsort(-totals, kind='stable') if kept[n]]
    points, scores = peaks[who[order], 2:4], scores[order]
    search(points, scores, heatmaps[0], fields[0], tables)
    for n, k in np.argwhere(scores <= 0):  # a plausible place in the body
        person, found = points[n], scores[n] > 0
        near = [o for target, o, *_ in tables['edges'] if target == k and found[o]]
        person[k] = person[near or found].mean(0)
        for o in near[::-1]:  # a wrist hangs from its elbow as the other wrist does
            if mirror[k] != k and found[mirror[k]] and found[mirror[o]]:
                person[k] = person[o] + person[mirror[k]] - person[mirror[o]]
    points = points * tables['cell'] + (tables['cell'] - 1) / 2
    points = np.append(points, points.mean(1, keepdims=True), 1)[:, tables['outputs']]
    return points, np.pad(scores, [(0, 0), (0, 1)])[:, tables['outputs']], totals[order]


class Runner:
    """Finds objects in an image, BGR, or in boxes of it, x1, y1, x2, y2[, score]."""

    def __init__(self, folder, runtime='auto'):
        self.about = about = json.loads(Path(folder, 'export.json').read_text('utf-8'))
        self.how = how = {'box_padding': 1, **about['input'], **about['placement']}
        files = {name: Path(folder, file) for name, file in about['files'].items()}
        if how['type'] in ('other', 'bottomup') or not how['normalized_inside']:
            raise ValueError(f'{folder} needs mmkp predict, for its test pipeline')
        if 'onnx' in files and runtime != 'openvino' and util.find_spec('onnxruntime'):
            session = import_module('onnxruntime').InferenceSession(files['onnx'])
            self.network = lambda images: session.run(None, {'images': images})
        else:
            path = files.get('openvino') or files['onnx']
            precise = {'INFERENCE_PRECISION_HINT': 'f32'}
            model = import_module('openvino').compile_model(path, 'CPU', precise)
            self.network = lambda images: list(model(images).values())

    def __call__(self, image, boxes=None):
        """A list of dicts, as in keypoints.json."""
        out, tables = [], self.about['grouping']
        digits = {'keypoints': 3, 'keypoint_scores': 4, 'bbox': 3, 'bbox_score': 4}
        boxes = [[0, 0, *image.shape[1::-1]]] if boxes is None else boxes
        for box in np.array(boxes, np.float32):
            shown, ratio, corner = place(image, box[:4], self.how)
            found = self.network(np.float32(shown.transpose(2, 0, 1)[None]))
            found = people(found, tables) if tables else [*found, np.append(box, 1)[4:]]
            for xy, scores, score in zip(*found, strict=False):
                xy, seen = xy * ratio + corner, scores > 0
                box = np.r_[xy[seen].min(0), xy[seen].max(0)] if tables else box
                pairs = zip(digits.items(), (xy, scores, box[:4], score), strict=True)
                out += [{k: np.round(np.float64(v), d).tolist() for (k, d), v in pairs}]
        return out


def shots(source):
    """Name, image (BGR, turned as EXIF says) and time of each picture or frame."""
    for path in sorted(source.rglob('*.*')) or [source]:
        name = path.name if path == source else path.relative_to(source).as_posix()
        if cv2.haveImageReader(str(path)):
            yield name, cv2.imread(str(path)), {}
            continue
        film = cv2.VideoCapture(str(path))
        for number, (_, image) in enumerate(iter(film.read, (False, None))):
            time = {'time': round(film.get(cv2.CAP_PROP_POS_MSEC) / 1000, 6)}
            yield f'{name.removesuffix(path.suffix)}_{number:06d}', image, time


def main():
    """Write keypoints.json as mmkp predict does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', help='of the export')
    parser.add_argument('source', help='picture, film, or folder of these')
    parser.add_argument('-o', '--out', default='keypoints.json')
    args = parser.parse_args()
    runner, images, damaged = Runner(args.folder), [], []
    for name, image, time in shots(Path(args.source)):
        if image is None:
            damaged.append(name)
        else:
            size = dict(zip(('width', 'height'), image.shape[1::-1], strict=True))
            images += [{'image': name, **size, 'instances': runner(image), **time}]
    if not images:
        parser.error(f'OpenCV reads no picture in {args.source}: give jpg or mp4')
    head = dict(runner.about['head'], source=args.source, damaged_images=damaged)
    Path(args.out).write_text(json.dumps(dict(head, images=images)), encoding='utf-8')


if __name__ == '__main__':
    main()
