# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Any network of timm as a backbone, e.g. DINOv2, DINOv3 and CLIP."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.engine.checkpoint import load_checkpoint_file


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """Feature maps of a network of timm (PyTorch Image Models, R. Wightman).

    Nothing is fetched: the weights are a file of your own, as timm publishes them.
    Needs timm, see ``requirements/optional.txt``.

    Args:
        model_name: timm's name of the network, e.g. ``'vit_small_patch14_dinov2'``.
        weights: timm's file for it, ``.safetensors`` or ``.pth``, read when weights are
            initialised; without it the network is random.
        out_indices: which intermediate outputs to return, of a transformer the blocks;
            negative ones count from the last.
        model_args: further arguments of timm's network, e.g.
            ``dict(dynamic_img_size=True)`` for images of any size.
        init_cfg: as in MMEngine.

    Raises:
        ImportError: timm is not installed, or too old.
        ValueError: it has no network of this name, or one without intermediate outputs.
    """

    def __init__(
        self,
        model_name: str,
        weights: str | None = None,
        out_indices: Sequence[int] = (-1,),
        model_args: dict[str, Any] | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.out_indices = list(out_indices)
        self.weights = weights
        self.network = _build(model_name, model_args or {})

    def init_weights(self) -> None:
        """Read the weights.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is of another network.
        """
        super().init_weights()
        if self.weights is not None:
            _load(self.network, self.weights)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Extract features.

        Args:
            inputs: RGB pictures, normalised as the weights expect, (B, 3, H, W).

        Returns:
            The maps of ``out_indices``, each (B, C, h, w).
        """
        return tuple(
            self.network.forward_intermediates(  # type: ignore[operator]
                inputs, self.out_indices, output_fmt='NCHW', intermediates_only=True
            )
        )


def _build(name: str, arguments: dict[str, Any]) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise ImportError(
            f'TimmBackbone needs timm for {name!r}: pip install timm '
            '(requirements/optional.txt)'
        ) from error
    if not timm.is_model(name):
        raise ValueError(f'timm {timm.__version__} has no network {name!r:.80}')
    network = timm.create_model(name, pretrained=False, num_classes=0, **arguments)
    if not hasattr(network, 'forward_intermediates'):
        raise ValueError(
            f'{name} has no intermediate outputs in timm {timm.__version__} '
            '(forward_intermediates): take another network, or a newer timm'
        )
    return network


def _load(network: nn.Module, weights: str) -> None:
    """All weights but those of a classifier, which the network has not."""
    path = Path(weights).expanduser()
    stored = load_checkpoint_file(path, map_location='cpu')
    for key in ('state_dict', 'model'):
        if isinstance(stored, dict) and isinstance(stored.get(key), dict):
            stored = stored[key]
    expected = network.state_dict()
    wrong = [
        name
        for name, value in expected.items()
        if getattr(stored.get(name), 'shape', None) != value.shape
    ]
    if wrong:
        raise ValueError(
            f'{path} does not fit the network: {len(wrong)} of {len(expected)} entries '
            f'are missing or of another shape, e.g. {", ".join(wrong[:3])}: give the '
            'file that timm publishes for this model_name'
        )
    network.load_state_dict({name: stored[name] for name in expected})
