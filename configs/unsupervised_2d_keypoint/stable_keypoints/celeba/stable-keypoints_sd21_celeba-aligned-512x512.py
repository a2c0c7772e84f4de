# The same with Stable Diffusion 2.1, whose tokens are 1024 wide. `-base` is the network
# of 512x512 pixels; that of 768x768 fits as well. Not published by the authors.
num_keypoints = 10
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/celeba_aligned.py',
]
network = dict(base_model='stabilityai/stable-diffusion-2-1-base')
model = dict(head=dict(num_keypoints=num_keypoints, token_width=1024), backbone=network)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
