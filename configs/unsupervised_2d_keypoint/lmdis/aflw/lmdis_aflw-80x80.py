# AFLW, 10 keypoints; published after training on CelebA, whose checkpoint is given by
# load_from.
num_keypoints = 10
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/aflw_discovery.py']
faces = [_base_.whole_image[0], _base_.crop, *_base_.whole_image[2:]]
model = dict(
    head=dict(num_keypoints=num_keypoints),
    losses=dict(separation=dict(loss_weight=16.0, bandwidth=0.06)),
)
images = dict(num_keypoints=num_keypoints, pipeline=faces)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(variant='lmdis')
custom_hooks = []  # as loss weights go on from where CelebA's began
