"""The base of every model that discovers keypoints without annotations."""

from collections.abc import Iterable
from typing import Any

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.models.layers.half_turn import HalfTurn
from mmkp.models.losses.named_losses import NamedLosses
from mmkp.models.refused_options import refuse_options
from mmkp.models.unsupervised.drawing_part import build_generator
from mmkp.models.unsupervised.mirrored_views import MirroredViews
from mmkp.models.unsupervised.named_keypoints import NamedKeypoints, named_by
from mmkp.models.unsupervised.targets import keypoint_targets
from mmkp.models.unsupervised.turned_inputs import TurnedInputs
from mmkp.models.unsupervised.untrained import (
    add_untrained_keypoints,
    untrained_detector,
)
from mmkp.models.view_transforms.views import Views, check_transforms, make_views
from mmkp.ops.geometry import size_of

_REFUSED = {
    'flip_test': 'discovered keypoints have no left and right, so leave it out',
    'multiscale_test': 'leave it out',
}


@MODELS.register_module()
class UnsupervisedPoseEstimator(NamedKeypoints, MirroredViews, TurnedInputs):
    """Discovers keypoints: a detector trained by losses that need no labels.

    The detector is any MMPose backbone (and neck) under a keypoint head such as
    :class:`SoftArgmaxHead`. Prediction is that of MMPose's top-down estimator, so
    inferencers, visualizers and metrics work unchanged. In training the model computes
    named outputs, of which each loss takes its ``inputs`` (:class:`NamedLosses`):

    * ``images``, x∘g1 for a ``first_view_transform`` g1, ``keypoints`` in its pixels,
      ``heatmaps``, their ``geometry`` (:class:`MapGeometry`), and
      ``source_keypoints``, the keypoints in pixels of the network input;
    * with a ``view_transform`` g2 ``warped_images``, x∘g1∘g2, ``warped_keypoints``,
      ``warped_heatmaps`` (where a loss asks for one of the two) and ``warp``, g2 from
      the second view to the first;
    * with a ``generator`` whatever it returns; ``mirrored_keypoints`` if asked for;
    * where samples have them ``target_keypoints`` and ``target_weights``
      (:func:`keypoint_targets`): labeled and unlabeled images train one model.

    Args:
        backbone: config of any MMPose backbone.
        head: config of a head with ``locate``, ``geometry`` and ``num_keypoints``.
        losses: name -> config of a loss, see :class:`NamedLosses`; at least one.
        neck: config of a neck, optional.
        generator: config of a module called with (images, keypoints), optional. Its
            ``num_keypoints`` is the head's where it is not given.
        view_transform: config of a module that returns a second view of the
            images and the warp between the two, optional. One whose attribute
            ``needs_samples`` is true is called with the samples as well.
        train_cfg: kept for MMPose's interface.
        test_cfg: ``output_heatmaps`` adds ``pred_fields.heatmaps``; no ``flip_test``;
            ``untrained_control`` adds ``pred_instances.untrained_keypoints``, what the
            detector finds untrained (seed ``untrained_seed``), where
            :class:`UntrainedControlHook` wants it.
        data_preprocessor: as in MMPose.
        init_cfg: as in MMEngine.
        metainfo: as in MMPose.
        channels_last: keep weights and maps in channels-last memory, which is faster on
            CPUs and, with AMP, on GPUs; results differ by rounding only.
        first_view_transform: config of a view transform that samples its warp by
            itself and warps the first view; None leaves it as it is.
        crop_margin: pixels to cut off every side of both views; predictions see all.
        half_turn: arguments of a :class:`HalfTurn`, for :class:`ObjectFrameCrop`.
        regressor: arguments of a :class:`KeypointRegressor` but ``num_discovered``; its
            named keypoints are predicted, and are ``named_keypoints`` for losses.

    Raises:
        ValueError: a loss without inputs, a generator for another number of
            keypoints, transforms that cannot be composed, or a negative margin.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        losses: dict | None = None,
        neck: dict | None = None,
        generator: dict | None = None,
        view_transform: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list | None = None,
        metainfo: dict | None = None,
        channels_last: bool = True,
        first_view_transform: dict | None = None,
        crop_margin: int = 0,
        half_turn: dict | None = None,
        regressor: dict | None = None,
    ) -> None:
        super().__init__(
            backbone=backbone,
            neck=neck,
            head=head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
            metainfo=metainfo,
        )
        refuse_options(self.test_cfg, type(self).__name__, _REFUSED)
        self.generator = (
            build_generator(generator, self.num_keypoints) if generator else None
        )
        self.view_transform, self.first_view_transform = (
            MODELS.build(config) if config else None
            for config in (view_transform, first_view_transform)
        )
        self.crop_margin = crop_margin
        check_transforms(self.view_transform, self.first_view_transform, crop_margin)
        self.half_turn = None if half_turn is None else HalfTurn(**half_turn)
        self.regressor = named_by(regressor, self.num_keypoints)
        self.losses = NamedLosses(losses or {})
        layouts = (torch.contiguous_format, torch.channels_last)
        self.memory_format = layouts[channels_last]
        self.to(memory_format=self.memory_format)
        self.with_untrained_control = False
        # Kept out of the module tree: built on demand, never trained or saved.
        self._untrained_control: list[nn.Module] = []

    @property
    def num_keypoints(self) -> int:
        """Number K of discovered keypoints."""
        return self.head.num_keypoints

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Run backbone and neck.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            Feature maps, each (B, C, h, w).
        """
        return super().extract_feat(inputs.contiguous(memory_format=self.memory_format))

    def detect(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Find the keypoints.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            Keypoints (x, y) in network-input pixels, (B, K, 2), and their
            distributions over space, (B, K, h, w), both float32.
        """
        return self.head.locate(self.head(self.extract_feat(inputs)), size_of(inputs))

    def reconstruct(
        self, inputs: Tensor, drawn_from: Tensor | None = None
    ) -> dict[str, Any]:
        """Keypoints and, where there is a generator, all that it draws.

        Args:
            inputs: network input, shape (B, 3, H, W).
            drawn_from: images that the generator sees, those of the inputs when None.

        Returns:
            ``images``, ``keypoints``, ``heatmaps``, their ``geometry`` and the
            generator's outputs.
        """
        inputs = inputs.contiguous(memory_format=self.memory_format)
        keypoints, heatmaps = self.detect(inputs)
        outputs = {'images': inputs, 'keypoints': keypoints, 'heatmaps': heatmaps}
        outputs['geometry'] = self.head.geometry(size_of(inputs), size_of(heatmaps))
        if self.generator is not None:
            seen = inputs if drawn_from is None else drawn_from
            outputs.update(self.generator(seen, keypoints))
        return outputs

    def views(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> Views:
        """Make the views that the losses compare.

        Args:
            inputs: network input, shape (B, 3, H, W).
            data_samples: samples of the batch, for a transform that needs them.

        Returns:
            x∘g1 and, with a ``view_transform``, x∘g1∘g2.
        """
        return make_views(
            inputs,
            data_samples,
            self.view_transform,
            self.first_view_transform,
            self.crop_margin,
        )

    def outputs_for_losses(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, object]:
        """All named outputs that the losses may ask for, see the class."""
        samples = list(data_samples or ())
        views = self.views(inputs, samples)
        found = self.reconstruct_first(views)
        outputs: dict[str, object] = dict(found)
        outputs['source_keypoints'] = views.to_image(found['keypoints'])
        if views.second is not None:
            outputs.update(warped_images=views.second, warp=views.warp)
            names = ('warped_keypoints', 'warped_heatmaps')
            if not self.losses or self.losses.inputs.intersection(names):
                outputs.update(zip(names, self.detect(views.second), strict=True))
        return {**outputs, **keypoint_targets(samples, inputs)}

    def reconstruct_first(self, views: Views) -> dict[str, Tensor]:
        """What :meth:`reconstruct` computes of the first view, in training."""
        return self.reconstruct(views.first)

    def train_step(
        self, data: dict | tuple | list, optim_wrapper: OptimWrapper
    ) -> dict[str, Tensor]:
        """Make one step by the sum of the losses.

        Args:
            data: batch of the loader.
            optim_wrapper: one optimizer. A subclass that trains its parts by turns
                takes MMEngine's ``OptimWrapperDict`` here, see
                :class:`mmkp.engine.PartsOptimWrapperConstructor`.

        Returns:
            Losses to log.

        Raises:
            ValueError: there are several optimizers.
        """
        if isinstance(optim_wrapper, OptimWrapperDict):
            raise ValueError(
                f'{type(self).__name__} steps by one sum of losses, but the config has '
                f'the optimizers {list(optim_wrapper.keys())}: give it one, or write a '
                '`train_step` that says which of them steps by which loss'
            )
        return super().train_step(data, optim_wrapper)

    def loss(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, Tensor]:
        """Compute every loss of the config.

        Args:
            inputs: network input, shape (B, 3, H, W).
            data_samples: for a ``view_transform`` that needs them, and for targets.

        Returns:
            ``loss_<name>`` for each entry of ``losses``, scalars.
        """
        if not self.losses:
            raise ValueError(
                f'{type(self).__name__} has no losses to train with: '
                'set `losses` in the model config'
            )
        samples = list(data_samples or ())
        outputs = self.outputs_for_losses(self.settle_views(inputs, samples), samples)
        return self.losses(self.with_mirrored(self.with_named(outputs, inputs)))

    def predict(
        self, inputs: Tensor, data_samples: list[PoseDataSample]
    ) -> list[PoseDataSample]:
        """Predict keypoints in image pixels.

        Args:
            inputs: network input, shape (B, 3, H, W).
            data_samples: samples with ``input_size``, ``input_center`` and
                ``input_scale`` in their metainfo.

        Returns:
            The samples with ``pred_instances`` (keypoints (1, K, 2) in image
            pixels) and, if asked for, ``pred_fields``.
        """
        refuse_options(self.test_cfg, type(self).__name__, _REFUSED)
        inputs = self.settle(inputs, data_samples)
        results = super().predict(inputs, data_samples)
        if self.with_untrained_control and self.test_cfg.get('untrained_control'):
            control = self._untrained_instances(inputs, data_samples)
            add_untrained_keypoints(results, control)
        return results

    def _untrained_instances(
        self, inputs: Tensor, data_samples: list[PoseDataSample]
    ) -> list[InstanceData]:
        """What the untrained control finds, in network-input pixels."""
        detector = self._untrained_detector(inputs)
        return detector.head.predict(detector.extract_feat(inputs), data_samples)

    def _untrained_detector(self, inputs: Tensor) -> nn.Module:
        """The detector at freshly drawn weights, without touching any seed."""
        if not self._untrained_control:
            seed = self.test_cfg.get('untrained_seed', 0)
            self._untrained_control.append(untrained_detector(self, seed))
        return self._untrained_control[0].to(inputs.device)
