"""The verb ``predict``: keypoints of files, as pictures and a json file."""

import argparse
from collections.abc import Sequence

from mmkp.apis import load_model, predict_files
from mmkp.apis.drawing import FIELD_STYLES, HEATMAP_STYLES
from mmkp.apis.predict_files import picture_folder
from mmkp.cli.overrides import parse_with_overrides
from mmkp.datasets.object_detection import build_detector, is_detector_file
from mmkp.engine.cli import add_config_arguments, config_from_arguments


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog, description='Predict keypoints of files'
    )
    add_config_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('input', help='image, folder of images, or video')
    parser.add_argument(
        '-o', '--out', default='results', help='folder for what is written'
    )
    parser.add_argument(
        '--boxes',
        help='json file of boxes (COCO style, or by image name: x, y, w, h), or the '
        "detector that finds them, an .onnx file of YOLOX's form",
    )
    parser.add_argument(
        '--classes',
        help='of the objects that the detector looks for, with commas between them',
    )
    parser.add_argument(
        '--show-edges', action='store_true', help='draw the learned edges too'
    )
    parser.add_argument(
        '--show-heatmaps',
        nargs='?',
        choices=HEATMAP_STYLES,
        const=HEATMAP_STYLES[0],
        help='one picture of all heatmaps, or one for each keypoint',
    )
    parser.add_argument(
        '--show-fields',
        nargs='?',
        choices=FIELD_STYLES,
        const=FIELD_STYLES[0],
        help='of a part affinity model: directions as colours or arrows, or each limb',
    )
    parser.add_argument(
        '--show-stacks',
        action='store_true',
        help='of a top-down model with stacks: keypoints and heatmaps of each',
    )
    parser.add_argument(
        '--show-numbers', action='store_true', help="write the keypoints' numbers"
    )
    parser.add_argument(
        '--min-score',
        type=float,
        help='draw no keypoint below this score (default: 0.2; 0 of discovered ones)',
    )
    parser.add_argument('--no-pictures', action='store_true', help='only the json file')
    parser.add_argument('-b', '--batch-size', type=int, default=16)
    parser.add_argument(
        '-d', '--device', help='cpu, cuda:0, ...; a GPU where there is one'
    )
    return parse_with_overrides(parser, argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Predict."""
    args = parse_args(argv, prog)
    boxes = args.boxes
    if boxes and is_detector_file(boxes):
        boxes = build_detector(boxes, args.classes)
    elif args.classes:
        raise ValueError('--classes are those of a detector: --boxes DETECTOR.onnx')
    model = load_model(config_from_arguments(args), args.checkpoint, args.device)
    path = predict_files(
        model,
        args.input,
        args.out,
        boxes_file=boxes,
        show_edges=args.show_edges,
        numbers=args.show_numbers,
        min_score=args.min_score,
        batch_size=args.batch_size,
        draw=not args.no_pictures,
        show_heatmaps=args.show_heatmaps,
        show_fields=args.show_fields,
        show_stacks=args.show_stacks,
    )
    print(f'keypoints: {path}')
    if not args.no_pictures:
        print(f'pictures:  {picture_folder(args.out)}')
        for kind in ('heatmaps', 'fields', 'stacks'):
            if getattr(args, f'show_{kind}'):
                print(f'{kind + ":":10} {path.parent / kind}')
