# One class of birds.
num_keypoints = 4
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/cub_003.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
# 10,000 steps of 4 images, the most that was published for other than faces and people.
train_cfg = dict(max_iters=40000, val_interval=40000)
default_hooks = dict(checkpoint=dict(interval=4000))
