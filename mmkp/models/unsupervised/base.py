"""The base of every model that discovers keypoints without annotations."""

import copy
from collections.abc import Iterable

import torch
from mmengine.model import ModuleDict, ModuleList
from mmengine.structures import InstanceData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.ops.warps.warp import Warp


@MODELS.register_module()
class UnsupervisedPoseEstimator(TopdownPoseEstimator):
    """Discovers keypoints: a detector trained by losses that need no labels.

    The detector is any MMPose backbone (and neck) under a keypoint head such as
    :class:`SoftArgmaxHead`. Prediction is that of MMPose's top-down
    estimator, so inferencers, visualizers and metrics work unchanged. In
    training the model computes named outputs, and each loss takes those that
    its class attribute ``inputs`` names: ``images``, ``keypoints``,
    ``heatmaps``; with a ``view_transform`` also ``warped_images``,
    ``warped_keypoints``, ``warped_heatmaps`` and ``warp``; with a ``generator``
    whatever it returns.

    Args:
        backbone: config of any MMPose backbone.
        head: config of a head with ``locate`` and ``num_keypoints``.
        losses: name -> config of a registered loss; at least one.
        neck: config of a neck, optional.
        generator: config of a module called with (images, keypoints), optional.
        view_transform: config of a module that returns a second view of the
            images and the warp between the two, optional. One whose attribute
            ``needs_samples`` is true is called with the samples as well.
        train_cfg: kept for MMPose's interface.
        test_cfg: ``output_heatmaps`` adds ``pred_fields.heatmaps``;
            ``untrained_control`` adds ``pred_instances.untrained_keypoints``,
            what the same detector finds with freshly initialised weights
            (seed ``untrained_seed``), the control beside every figure: in
            validation and test, where :class:`UntrainedControlHook` sets
            ``with_untrained_control``, and nowhere else.
        data_preprocessor: as in MMPose.
        init_cfg: as in MMEngine.
        metainfo: as in MMPose.
        channels_last: keep weights and feature maps in channels-last memory, which is
            faster on CPUs and, with AMP, on GPUs; results differ by rounding only.

    Raises:
        ValueError: a loss needs an output that this model does not compute.
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
        self.generator = MODELS.build(generator) if generator else None
        self.view_transform = MODELS.build(view_transform) if view_transform else None
        # MMEngine's, which hands `init_weights` on: losses read weights files there.
        self.losses = ModuleDict(
            {name: MODELS.build(loss) for name, loss in (losses or {}).items()}
        )
        self.memory_format = (
            torch.channels_last if channels_last else torch.contiguous_format
        )
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
        height, width = inputs.shape[-2:]
        logits = self.head(self.extract_feat(inputs))
        return self.head.locate(logits, (width, height))

    def reconstruct(self, inputs: Tensor) -> dict[str, Tensor]:
        """Keypoints and, where there is a generator, all that it draws.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            ``images``, ``keypoints``, ``heatmaps`` and the generator's outputs.
        """
        inputs = inputs.contiguous(memory_format=self.memory_format)
        keypoints, heatmaps = self.detect(inputs)
        outputs = {'images': inputs, 'keypoints': keypoints, 'heatmaps': heatmaps}
        if self.generator is not None:
            outputs.update(self.generator(inputs, keypoints))
        return outputs

    def second_view(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> tuple[Tensor, Warp]:
        """Call the view transform.

        Args:
            inputs: network input, shape (B, 3, H, W).
            data_samples: samples of the batch, for a transform that needs them.

        Returns:
            A second view of the same shape, and the warp that maps positions in it
            to the inputs.

        Raises:
            ValueError: the model has no view transform.
        """
        transform = self.view_transform
        if transform is None:
            raise ValueError(
                f'{type(self).__name__} has no second view of the images: set '
                '`view_transform` in the model config'
            )
        if getattr(transform, 'needs_samples', False):
            return transform(inputs, data_samples)
        return transform(inputs)

    def outputs_for_losses(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, object]:
        """All named outputs that the losses may ask for, see the class."""
        outputs: dict[str, object] = dict(self.reconstruct(inputs))
        if self.view_transform is not None:
            warped, warp = self.second_view(inputs, data_samples)
            keypoints, heatmaps = self.detect(warped)
            outputs.update(
                warped_images=warped,
                warped_keypoints=keypoints,
                warped_heatmaps=heatmaps,
                warp=warp,
            )
        return outputs

    def loss(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, Tensor]:
        """Compute every loss of the config.

        Args:
            inputs: network input, shape (B, 3, H, W).
            data_samples: used only by a ``view_transform`` that needs them; otherwise
                the images are all that is needed.

        Returns:
            ``loss_<name>`` for each entry of ``losses``, scalars.
        """
        if not self.losses:
            raise ValueError(
                f'{type(self).__name__} has no losses to train with: '
                'set `losses` in the model config'
            )
        outputs = self.outputs_for_losses(inputs, data_samples)
        return {
            f'loss_{name}': loss(**self._select(outputs, name, loss))
            for name, loss in self.losses.items()
        }

    @staticmethod
    def _select(
        outputs: dict[str, object], name: str, loss: nn.Module
    ) -> dict[str, object]:
        missing = [key for key in loss.inputs if key not in outputs]
        if missing:
            raise ValueError(
                f'loss {name!r} ({type(loss).__name__}) needs {missing}, but the '
                f'model computes only {sorted(outputs)}: warped outputs need a '
                '`view_transform`, reconstructions a `generator` in the config'
            )
        return {key: outputs[key] for key in loss.inputs}

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
        results = super().predict(inputs, data_samples)
        if self.with_untrained_control and self.test_cfg.get('untrained_control'):
            control = self._untrained_instances(inputs, data_samples)
            for sample, instance in zip(results, control, strict=True):
                scale, center = sample.input_scale, sample.input_center
                points = instance.keypoints / sample.input_size * scale
                points = points + center - 0.5 * scale
                sample.pred_instances.set_field(points, 'untrained_keypoints')
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
            detector = copy.copy(self)
            detector._modules = {
                name: copy.deepcopy(self._modules[name])
                for name in ('backbone', 'neck', 'head')
                if name in self._modules
            }
            with torch.random.fork_rng():
                torch.manual_seed(self.test_cfg.get('untrained_seed', 0))
                for part in detector._modules.values():
                    for layer in part.modules():
                        if hasattr(layer, 'reset_parameters'):
                            layer.reset_parameters()
                        layer._is_init = False
                    _QuietParent([part]).init_weights()
            self._untrained_control.append(detector.eval().requires_grad_(False))
        return self._untrained_control[0].to(inputs.device)


class _QuietParent(ModuleList):
    """Initialises its part without a line about each of its parameters."""

    def _dump_init_info(self) -> None:
        pass
