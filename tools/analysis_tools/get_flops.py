"""Count operations and parameters of a model's detector, what prediction costs.

python tools/analysis_tools/get_flops.py CONFIG [--input-shape 128 128]
"""

import argparse

import torch
from mmengine.analysis import get_model_complexity_info
from mmengine.logging import MMLogger

from mmkp.apis import load_model
from mmkp.engine.cli import (
    add_config_arguments,
    config_from_arguments,
    run_tool,
    whole_number,
)


def input_shape(cfg: object, given: list[int] | None) -> tuple[int, int, int]:
    """(3, H, W): what was given, else the size of the test pipeline or the codec."""
    if given:
        height, width = given[0], given[-1]
        return 3, height, width
    # Pipelines that keep the aspect ratio have no size; the codec has that of training.
    steps = [*cfg.test_dataloader.dataset.pipeline, cfg.model.head.get('decoder') or {}]
    for step in steps:
        if 'input_size' in step:
            width, height = step['input_size']
            return 3, height, width
    return 3, 256, 192


def main() -> None:
    """Count."""
    parser = argparse.ArgumentParser(description='Operations and parameters')
    add_config_arguments(parser)
    parser.add_argument(
        '--input-shape', type=whole_number(8), nargs='+', metavar='HEIGHT WIDTH'
    )
    parser.add_argument('--table', action='store_true', help='a line for each module')
    args = parser.parse_args()
    cfg = config_from_arguments(args)
    model = load_model(cfg, device='cpu')
    shape = input_shape(cfg, args.input_shape)
    model.forward = model._forward
    # It reports each parameterless operation, and each part that training alone uses.
    MMLogger.get_current_instance().setLevel('ERROR')
    with torch.no_grad():
        result = get_model_complexity_info(model, shape, show_arch=False)
    if args.table:
        print(result['out_table'])
    parts = {
        name: sum(p.numel() for p in part.parameters())
        for name, part in model.named_children()
    }
    print(f'input shape: {(1, *shape)}')
    print(f'operations (multiply-adds) of a prediction: {result["flops_str"]}')
    print(f'parameters: {sum(parts.values()):,}')
    for name, number in parts.items():
        if number:
            print(f'  {name}: {number:,}')


if __name__ == '__main__':
    run_tool(main)
