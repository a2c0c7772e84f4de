"""How long it takes to turn maps of a network into people.

Decodes recorded outputs (57 x h x w) of a COCO-18 network by mmkp and by a plain
implementation at full resolution, as published demos have it, one after the other::

    python tools/benchmarks/part_affinity_decoding.py maps.npz

With ``--end-to-end CONFIG CHECKPOINT FOLDER`` it tells how the time from an image file
to people divides between reading, network and decoding.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import torch
from measure import measure
from mmengine.dataset import Compose, pseudo_collate
from plain_part_affinity_decoding import decode_at_full_resolution

from mmkp.codecs import build_skeleton
from mmkp.engine.cli import run_tool
from mmkp.labels import read_npz
from mmkp.ops.part_affinity.pose_decoder import PoseDecoder

STRIDE = 8
GROUPS = ((0, 0), (1, 1), (2, 4), (5, 9), (10, 999))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('maps', help="npz file with 'out57' (N, 57, h, w)")
    parser.add_argument('--repeats', type=int, default=3, help='of mmkp, the median')
    parser.add_argument('--no-plain', action='store_true', help='only mmkp')
    parser.add_argument('--device', help='also decode batches of 32 from there')
    parser.add_argument(
        '--end-to-end', nargs=3, metavar=('CONFIG', 'CHECKPOINT', 'FOLDER')
    )
    return parser.parse_args()


def load_maps(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Heatmaps (N, 19, h, w) and fields (N, 38, h, w), float32."""
    maps = read_npz(path, ('out57',))['out57'].astype(np.float32)
    if maps.ndim != 4 or maps.shape[1] != 57:
        raise ValueError(f'{path}: out57 is {maps.shape}, (N, 57, h, w) is expected')
    return np.ascontiguousarray(maps[:, :19]), np.ascontiguousarray(maps[:, 19:])


def prepare_decoder(path: str, name: str) -> Callable[[], object]:
    """A call that decodes the most crowded of the maps, for the memory."""
    heatmaps, fields = load_maps(path)
    skeleton = build_skeleton('coco18')
    if name == 'plain':
        crowd = np.argmax((heatmaps[:, :18] > 0.3).sum((1, 2, 3)))
        maps = heatmaps[crowd, :18], fields[crowd]
        return lambda: decode_at_full_resolution(*maps, skeleton, STRIDE)
    decoder = PoseDecoder(skeleton, STRIDE)
    crowd = np.argmax((heatmaps[:, :18] > 0.3).sum((1, 2, 3)))
    one = heatmaps[crowd : crowd + 1], fields[crowd : crowd + 1]
    quiet = np.zeros_like(one[0]), np.zeros_like(one[1])
    decoder(*quiet)  # what importing and compiling take is not the decoding's
    return lambda: decoder(*one)


def time_all(
    methods: dict[str, Callable], heatmaps: np.ndarray, fields: np.ndarray, repeats: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Milliseconds of each method on each image, in turns, and the people found."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    number = []
    for index in range(len(heatmaps)):
        maps = heatmaps[index : index + 1], fields[index : index + 1]
        for name, method in methods.items():
            runs = []
            for _ in range(1 if name == 'plain' else repeats):
                start = time.perf_counter()
                people = method(*maps)
                runs.append(1e3 * (time.perf_counter() - start))
            times[name].append(float(np.median(runs)))
            if name == 'mmkp':
                number.append(len(people[0].keypoints))
    return {name: np.array(values) for name, values in times.items()}, np.array(number)


def print_table(times: dict[str, np.ndarray], number: np.ndarray) -> None:
    """One line a group of images, by the number of people in them."""
    names = list(times)
    print(f'| people | images | {" | ".join(f"{n}, ms (p95)" for n in names)} |')
    print('|---|---:|' + '---:|' * len(names))
    groups = [
        (f'{a}' if a == b else f'{a}-{b}', (number >= a) & (number <= b))
        for a, b in GROUPS
    ]
    for title, chosen in [*groups, ('all', number >= 0)]:
        if chosen.any():
            cells = [
                f'{np.median(some):.3f} ({np.percentile(some, 95):.2f})'
                for some in (values[chosen] for values in times.values())
            ]
            print(f'| {title} | {chosen.sum()} | {" | ".join(cells)} |')
    if 'plain' in times:
        plain = np.median(times['plain'])
        ratios = [f'{n} {plain / np.median(v):.0f}x' for n, v in times.items()]
        print(f'\nFaster than plain, by medians: {", ".join(ratios)}')


def print_batches(device: str, heatmaps: np.ndarray, fields: np.ndarray) -> None:
    """Time batches of 32 on a device."""
    decoder = PoseDecoder(build_skeleton('coco18'), STRIDE)
    batch = [torch.from_numpy(m[:32]).to(device) for m in (heatmaps, fields)]
    runs = []
    for _ in range(12):
        start = time.perf_counter()
        decoder(*batch)
        runs.append(1e3 * (time.perf_counter() - start))
    print(f'\nBatch of 32 from {device}: {np.median(runs[2:]):.2f} ms')


def print_shares(config: str, checkpoint: str, folder: str) -> None:
    """Divide the time from file to people."""
    from mmkp.apis import load_model
    from mmkp.datasets.image_files import find_images

    torch.set_num_threads(1)
    model = load_model(config, checkpoint, 'cpu')
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    spent = {'read and resize': 0.0, 'network': 0.0, 'decoding': 0.0}
    clock = time.perf_counter
    names = find_images(folder)[:40]
    with torch.no_grad():
        for turn, name in enumerate([names[0], *names]):
            moments = [clock()]
            sample = pipeline(
                dict(img_path=str(Path(folder, name)), **model.dataset_meta)
            )
            moments.append(clock())
            data = model.data_preprocessor(pseudo_collate([sample]))
            maps = model.head.forward(model.extract_feat(data['inputs']))
            moments.append(clock())
            model.head.decoder.batch_decode(*maps)
            moments.append(clock())
            if turn:  # the first one warms up
                for key, seconds in zip(spent, np.diff(moments), strict=True):
                    spent[key] += seconds
    total = sum(spent.values())
    each = 1e3 * total / len(names)
    print(f'\nFrom file to people, {len(names)} images, {each:.0f} ms each:')
    for key, seconds in spent.items():
        each = 1e3 * seconds / len(names)
        print(f'  {key:16} {each:8.2f} ms {100 * seconds / total:6.2f} %')


def main() -> None:
    """Measure and print."""
    args = parse_args()
    torch.set_num_threads(1)
    heatmaps, fields = load_maps(args.maps)
    skeleton = build_skeleton('coco18')
    methods: dict[str, Callable] = dict(mmkp=PoseDecoder(skeleton, STRIDE))
    methods['mmkp'](heatmaps[:1], fields[:1])  # compiles
    if not args.no_plain:
        methods['plain'] = lambda h, f: decode_at_full_resolution(
            h[0, :18], f[0], skeleton, STRIDE
        )
    times, number = time_all(methods, heatmaps, fields, args.repeats)
    print_table(times, number)
    extra = {n: measure(prepare_decoder, (args.maps, n), 1).extra_mib for n in methods}
    print('Extra memory, MiB: ' + ', '.join(f'{n} {m:.1f}' for n, m in extra.items()))
    if args.device:
        print_batches(args.device, heatmaps, fields)
    if args.end_to_end:
        print_shares(*args.end_to_end)


if __name__ == '__main__':
    run_tool(main)
