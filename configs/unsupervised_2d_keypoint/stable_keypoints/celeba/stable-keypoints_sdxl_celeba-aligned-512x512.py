# The same with Stable Diffusion XL, whose tokens are 2048 wide. Not published by the
# authors. It was trained on 1024x1024 pixels: larger images suit it, and cost more.
num_keypoints = 10
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../_base_/stable_diffusion_xl.py',
    '../../../_base_/datasets/celeba_aligned.py',
]
head = dict(num_keypoints=num_keypoints, token_width=2048)
model = dict(backbone=_base_.stable_diffusion_xl, head=head)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
