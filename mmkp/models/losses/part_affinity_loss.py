"""Squared error of heatmaps and part affinity fields, after every stage."""

from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.stages.stage_outputs import StageOutputs
from mmkp.ops.precision import full_precision


@MODELS.register_module()
class PartAffinityLoss(nn.Module):
    """Weighted squared error of every stage and branch (CVPR'17, eq. 3 to 5).

    With prediction S, target S* and weights W of a branch, its loss is the mean of
    (W (S - S*))^2 over samples, channels and cells. Weights are 0 where people are not
    labelled. They may lie between 0 and 1, and are squared, as in
    ``openpose_caffe_train``, which multiplies both maps by them.

    Computed in at least float32, under autocast too.

    Args:
        caffe_scaling: sum over channels and cells, divided by 2B, as Caffe's
            ``EuclideanLoss`` does. The published learning rates belong to this
            scaling; the default's gradient is smaller by C h w / 2.
        heatmap_weight: factor on the losses of the heatmaps.
        field_weight: factor on the losses of the fields.
    """

    def __init__(
        self,
        caffe_scaling: bool = False,
        heatmap_weight: float = 1.0,
        field_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.caffe_scaling = caffe_scaling
        self.heatmap_weight = heatmap_weight
        self.field_weight = field_weight

    def forward(
        self,
        outputs: StageOutputs,
        heatmaps: Tensor,
        fields: Tensor,
        heatmap_weights: Tensor | None = None,
        field_weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compare what every stage predicts with the targets.

        Args:
            outputs: maps of the stages, of any float type.
            heatmaps: target (B, K + 1, h, w), background last.
            fields: target (B, 2L, h, w).
            heatmap_weights: (B, K + 1, h, w), from 0 to 1; ones when None.
            field_weights: (B, 2L, h, w), from 0 to 1; ones when None.

        Returns:
            ``loss_heatmap_stage0``, ``loss_field_stage0`` and so on: one
            scalar for every stage that predicts the branch, counted within the branch.
        """
        branches = (
            ('heatmap', outputs.heatmaps, heatmaps, heatmap_weights),
            ('field', outputs.fields, fields, field_weights),
        )
        factors = {'heatmap': self.heatmap_weight, 'field': self.field_weight}
        return {
            f'loss_{name}_stage{stage}': factors[name]
            * self._squared_error(prediction, target, weights)
            for name, predictions, target, weights in branches
            for stage, prediction in enumerate(predictions)
        }

    def _squared_error(
        self, prediction: Tensor, target: Tensor, weights: Tensor | None
    ) -> Tensor:
        error = full_precision(prediction) - target
        if weights is not None:
            error = error * weights
        # Not Tensor.square or pow, which autocast would make decisions about.
        squares = error * error
        if self.caffe_scaling:
            return squares.sum() / (2 * len(squares))
        return squares.mean()
