# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""All checks, in the order in which they run: what breaks most comes first."""

from mmkp.testing import (
    coordinate_checks,
    image_checks,
    keypoint_number_checks,
    loss_checks,
    mmpose_checks,
    precision_checks,
    prediction_checks,
    randomness_checks,
    state_checks,
)
from mmkp.testing.check import Check

_CAUSES = {
    loss_checks.check_loss_is_finite: (
        'Usually a division by a sum that may be 0, or the logarithm of 0: add a small '
        'number, or normalize on logarithms'
    ),
    loss_checks.check_loss_falls: (
        'Usually a detached output, a sign, or a rate that is too high: compare the '
        'gradient with a finite difference'
    ),
    loss_checks.check_gradients_reach_every_parameter: (
        'Usually a layer whose output nobody reads, or a detach: leave it out, freeze '
        'it, or set find_unused_parameters for several processes'
    ),
    randomness_checks.check_same_seed_gives_same_training: (
        'Usually a generator of its own without a seed, or the order of a set: draw '
        "from torch's or numpy's global generators"
    ),
    randomness_checks.check_training_draws_from_torch_or_numpy: (
        'A tensor program that draws from Python is not seeded in worker processes: '
        'take torch.rand'
    ),
    randomness_checks.check_prediction_draws_nothing: (
        'Usually dropout or a random view that is on in evaluation: ask self.training, '
        'or draw inside torch.random.fork_rng'
    ),
    randomness_checks.check_global_state_is_unchanged: (
        'Other models of the process would compute differently: use the context '
        'manager of that setting, and leave it'
    ),
    prediction_checks.check_prediction_is_finite: (
        'Usually a division by the mass of an empty map, or a missing axis: clamp the '
        'divisor, and return (1, K, 2)'
    ),
    prediction_checks.check_batch_equals_singles: (
        'Usually a normalization over the batch that is not switched to its running '
        'statistics, or a sum over the wrong axis'
    ),
    prediction_checks.check_order_does_not_matter: (
        'Usually what was found in the first image is used for all'
    ),
    prediction_checks.check_prediction_changes_nothing: (
        'Usually running statistics that are updated in evaluation, or a counter in a '
        'buffer'
    ),
    prediction_checks.check_bad_image_spoils_no_other: (
        'Usually a normalization over the batch, or a product with 0 where a choice '
        'is needed: 0 times NaN is NaN'
    ),
    prediction_checks.check_loss_of_bad_image_is_not_finite: (
        'Usually nan_to_num or a comparison hides it: let it through, the training '
        'stops and names the image'
    ),
    keypoint_number_checks.check_any_number_of_keypoints: (
        'Usually a mean over the K - 1 others, a squeeze, or a number that a part does '
        'not take from the head'
    ),
    image_checks.check_images_of_any_kind: (
        "Usually the pipeline does not begin with dict(type='LoadVerifiedImage')"
    ),
    image_checks.check_images_of_any_size: (
        'Usually a resize to 0 pixels, or a division by the extent of one pixel'
    ),
    image_checks.check_not_a_number_is_refused: (
        "Begin the pipeline with dict(type='LoadVerifiedImage'), or call the functions "
        'of mmkp.apis'
    ),
    coordinate_checks.check_keypoints_follow_resize: (
        'Usually predict returns pixels of the network input, or maps them twice: '
        "return input pixels from the head, MMPose's estimator maps them"
    ),
    coordinate_checks.check_pipeline_and_prediction_agree: (
        'Usually a transform changes the image after input_center and input_scale were '
        'written'
    ),
    coordinate_checks.check_keypoints_follow_flip: (
        'Usually left and right are not exchanged, or maps are shifted by a cell: see '
        'flip_indices and shift_heatmap; a method without flip_test says so by a '
        'ValueError'
    ),
    state_checks.check_saved_state_predicts_the_same: (
        'Usually what predictions need is a plain attribute: register a buffer'
    ),
    state_checks.check_resumed_equals_uninterrupted: (
        'Usually a step counter, a moving average or a cache is a plain attribute: '
        'register a buffer'
    ),
    state_checks.check_pickled_and_copied: (
        'Usually a lambda, a local function, an open file or a generator is an '
        'attribute: use functools.partial, or make it when it is needed'
    ),
    precision_checks.check_half_precision_predicts_the_same: (
        'Usually coordinates or a softmax over a map are computed in half precision: '
        'call .float() before'
    ),
    precision_checks.check_half_precision_trains: (
        'Usually a sum over a map, an exponential or a matrix product of positions is '
        'computed in half precision: call .float(), and switch autocast off there'
    ),
    precision_checks.check_channels_last_predicts_the_same: (
        'Usually view where reshape or flatten is meant'
    ),
    mmpose_checks.check_inferencer_runs: (
        'Usually test_dataloader.dataset.pipeline needs keys that only a data set '
        'gives, or pred_instances lacks keypoint_scores'
    ),
    mmpose_checks.check_export: (
        "Usually an if on a tensor's value, or a tensor made on another device"
    ),
}

CHECKS = {
    check.name: check
    for check in (
        Check(function.__name__.removeprefix('check_'), function, cause)
        for function, cause in _CAUSES.items()
    )
}
