#!/usr/bin/env python3
# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of pictures and films by an export of mmkp, without torch and mmkp."""

import argparse
import itertools
import json
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np


def open_network(folder, files):
    """A function from images (B, 3, H, W) to the outputs of the network, in order."""
    if 'onnx' in files and find_spec('onnxruntime'):
        from onnxruntime import InferenceSession

        session = InferenceSession(folder / files['onnx'])
        return lambda images: session.run(None, {'images': images})
    if not find_spec('openvino'):
        raise ValueError(f'{folder} needs a runtime: pip install onnxruntime')
    from openvino import compile_model

    path = folder / files.get('openvino', files.get('onnx', ''))
    network = compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    return lambda images: list(network(images).values())


def place(image, box, how):
    """Network input of a box x1, y1, x2, y2, and the way back: x * ratio + corner."""
    whole, gray = np.array(image.shape[1::-1]), (how.get('pad_val', 0),) * 3
    kind, size = how['type'], np.array(how.get('input_size', whole))
    center, scale = (box[2:] + box[:2]) / 2, box[2:] - box[:2]
    scale = scale * how.get('box_padding', 1)
    if kind == 'affine' or how.get('keep_aspect_ratio'):
        scale = np.maximum(scale, scale[::-1] * size / size[::-1])
    elif kind == 'bottomup':  # fits it into the middle of the input
        scale = whole * size / np.minimum(size, size[::-1] * whole / whole[::-1])
    elif kind == 'height':  # pads it to whole cells
        factor, ratio = how['size_factor'], max(whole / [how['max_aspect'], 1])
        size = np.ceil(whole / ratio * how['height'] / factor - 1e-6) * factor
        scale = np.maximum(np.round(size * ratio / how['height']), whole)
        center, size = scale / 2, size.astype(int)
    if kind in ('affine', 'bottomup'):  # MMPose's, which sample at points
        zoom = (size - how['use_udp']) / scale
        matrix = np.c_[np.diag(zoom), (size - how['use_udp']) / 2 - zoom * center]
        image = cv2.warpAffine(image, matrix, size.tolist(), borderValue=gray)
        return image, scale / size, center - scale / 2
    low = np.round(center - scale / 2).astype(int)
    high = np.maximum(np.round(center + scale / 2).astype(int), low + 1)
    cut, ratio = np.c_[np.eye(2), -low], (high - low) / size
    image = cv2.warpAffine(image, cut, (high - low).tolist(), flags=0, borderValue=gray)
    if kind == 'resize' or max(ratio) > 2:  # averages areas where it shrinks
        smaller = np.minimum(high - low, size).tolist()
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, size.tolist()), ratio, low + (ratio - 1) / 2


def group(peaks, limbs, tables):
    """Match limbs, best first, and join peaks: rows (N, K), scores of limbs (N,)."""
    rules, xy, gaps = tables['rules'], peaks[:, 2:4], []
    used: set = set()
    who = np.full((len(peaks), len(tables['flip_indices'])), -1)
    owner, total = np.arange(len(peaks)), np.zeros(len(peaks))
    who[owner, peaks[:, 1].astype(int)] = owner

    def unite(first, second):
        if first == second or ((who[first] >= 0) & (who[second] >= 0)).any():
            return first == second
        who[first], who[second] = np.maximum(who[first], who[second]), -1
        owner[owner == second] = first
        total[first] += total[second]
        return True

    rank = np.argsort(tables['assembly_order'])[limbs[:, 0].astype(int)]
    for limb, a, b, score in limbs[np.lexsort((-limbs[:, 3], rank))]:
        if used.isdisjoint({(limb, a), (limb, b)}):
            used |= {(limb, a), (limb, b)}
            first, second = owner[[int(a), int(b)]]
            grown = ((who[[first, second]] >= 0).sum(1) > 1).sum()
            may_begin = limb not in tables['redundant_limbs']
            fits = (may_begin, True, rules['merge'] or first == second)[grown]
            if fits and unite(first, second):
                total[first] += score
    left_out = (peaks[:, 4] <= rules['min_single_score']) | (rules['max_gap'] <= 0)
    who[((who >= 0).sum(1) == 1) & left_out] = -1
    start, end = np.moveaxis(who[:, tables['limbs']], 2, 0)
    both = (start >= 0) & (end >= 0)
    length = (np.linalg.norm(xy[start] - xy[end], axis=2) * both).sum(1)
    length /= np.maximum(both.sum(1), 1)
    longer = np.maximum(length[:, None], length)
    for first, second, between in tables['missing_links']:
        a, b = np.where(who[:, between] < 0, who[:, [first, second]].T, -1)
        gap = np.linalg.norm(xy[a, None] - xy[b], axis=2) / np.maximum(longer, 1)
        near = (gap < rules['max_gap']) & (longer > 0) & (a[:, None] >= 0) & (b >= 0)
        gaps += [(gap[p, q], a[p], b[q]) for p, q in np.argwhere(near)]
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
        return maps[..., j, i].T.astype(float)

    for n, edge in np.argwhere(~found[:, edges[:, 0]] & found[:, edges[:, 1]]):
        k, other, limb, sign = edges[edge]
        field, start = sign * fields[2 * limb : 2 * limb + 2], points[n, other]
        along = at(field, start + shift)
        length = np.linalg.norm(along)
        if length < rule['least_field']:
            continue
        along /= length
        reach = np.ptp(points[n, found[n]], 0).max() * rule['reach']
        step = max(reach, rule['least_reach']) / len(steps)
        way = start + along * step * steps[:, None]
        support = (at(field, way + shift) @ along).cumsum() / steps
        heat = at(heatmaps[k], way)
        score = np.float32(np.maximum(heat, 0) * np.maximum(support, 0))
        score *= ((way > -0.5) & (way < last + 0.5)).all(1)
        s = score.argmax()
        away = np.linalg.norm(points[found[:, k], k] - way[s], axis=1)
        if score[s] > best[n, k] and (away >= rule['taken_radius']).all():
            best[n, k], points[n, k] = score[s], way[s]
            scores[n, k] = heat[s] * rule['share']


def people(outputs, tables):
    """Keypoints (N, K, 2) in the input, their scores (N, K), and scores (N,)."""
    rules, mirror, limbs = tables['rules'], tables['flip_indices'], outputs[1]
    peaks, heatmaps, fields = outputs[0].astype(float), outputs[2][0], outputs[3][0]
    who, total = group(peaks, limbs, tables)
    scores = np.where(who >= 0, np.append(peaks[:, 4], 0)[who], 0)
    number = (who >= 0).sum(1)
    totals = (scores.sum(1) + total) / np.maximum(number, 1)
    left_out = (number < rules['min_keypoints']) | (totals < rules['min_score'])
    totals *= number * (number - 1) if rules['scores_by_sum'] else 0.5
    order = np.argsort(-totals, kind='stable')
    order = order[~left_out[order]]
    points, scores = peaks[who[order], 2:4], scores[order]
    if rules['search_missing']:
        search(points, scores, heatmaps, fields, tables)
    for n, k in np.argwhere(scores <= 0):  # a plausible place in the body
        person, found = points[n], scores[n] > 0
        near = [o for target, o, *_ in tables['edges'] if target == k and found[o]]
        person[k] = person[near or found].mean(0)
        for o in near[::-1]:  # a wrist hangs from its elbow as the other wrist does
            if mirror[k] != k and found[mirror[k]] and found[mirror[o]]:
                person[k] = person[o] + person[mirror[k]] - person[mirror[o]]
    points = points * tables['cell'] + (tables['cell'] - 1) / 2
    points = np.append(points, points.mean(1, keepdims=True), 1)
    scores = np.append(scores, np.zeros((len(scores), 1)), 1)
    return points[:, tables['outputs']], scores[:, tables['outputs']], totals[order]


class Runner:
    """Finds objects in an image, BGR, or in boxes of it, x1, y1, x2, y2[, score]."""

    def __init__(self, folder):
        self.about = json.loads(Path(folder, 'export.json').read_text('utf-8'))
        self.network = open_network(Path(folder), self.about['files'])

    def __call__(self, image, boxes=None):
        """A list of dicts, as in keypoints.json."""
        about, tables, objects = self.about['input'], self.about['grouping'], []
        boxes = [[0, 0, *image.shape[1::-1]]] if boxes is None else boxes
        for box in np.array(boxes, np.float32):
            shown, ratio, corner = place(image, box[:4], self.about['placement'])
            if not about['normalized_inside']:
                shown = shown[..., ::-1] if about['to_rgb'] else shown
                shown = (shown - np.float32(about['mean'])) / np.float32(about['std'])
            outputs = self.network(np.float32(shown.transpose(2, 0, 1)[None]))
            found = *outputs, np.append(box, 1)[4:5]
            if tables:
                found = people(outputs, tables)
            for points, scores, score in zip(*found, strict=True):
                points = points * ratio + corner
                if tables:
                    box = np.r_[points[scores > 0].min(0), points[scores > 0].max(0)]
                objects.append(
                    {
                        'keypoints': np.round(points, 3).tolist(),
                        'keypoint_scores': np.round(scores.astype(float), 4).tolist(),
                        'bbox': np.round(box[:4].astype(float), 3).tolist(),
                        'bbox_score': round(float(score), 4),
                    }
                )
        return objects


def shots(source):
    """Name, image (BGR, turned as EXIF says) and time of each picture or frame."""
    root = source if source.is_dir() else source.parent
    for path in sorted(root.rglob('*.*')) if source.is_dir() else [source]:
        name = path.relative_to(root).as_posix()
        if cv2.haveImageReader(str(path)):
            yield name, cv2.imread(str(path)), {}
            continue
        film = cv2.VideoCapture(str(path))
        for number in itertools.count():
            is_read, image = film.read()
            if not is_read:
                break
            time = round(film.get(cv2.CAP_PROP_POS_MSEC) / 1000, 6)
            yield (
                f'{name.removesuffix(path.suffix)}_{number:06d}',
                image,
                {'time': time},
            )


def main():
    """Write keypoints.json, as mmkp predict does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', help='of the export')
    parser.add_argument('source', type=Path, help='picture, film, or folder')
    parser.add_argument('-o', '--out', type=Path, default='keypoints.json')
    args = parser.parse_args()
    runner = Runner(args.folder)
    about, images, damaged = runner.about, [], []
    for name, image, time in shots(args.source):
        if image is None:
            damaged.append(name)
            continue
        height, width = image.shape[:2]
        record = dict(image=name, width=width, height=height, instances=runner(image))
        images.append(record | time)
    flip_indices = list(range(len(about['keypoint_names'])))
    for a, b in about['swaps']:
        flip_indices[a], flip_indices[b] = b, a
    content = {'source': str(args.source), 'num_keypoints': len(flip_indices)}
    content |= {key: about[key] for key in ('keypoint_names', 'links')}
    content |= {'edges': [], 'flip_indices': flip_indices, 'damaged_images': damaged}
    args.out.write_text(json.dumps(content | {'images': images}), encoding='utf-8')
    print(args.out)


if __name__ == '__main__':
    main()
