# Birds of all classes in their square boxes, K=4.
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/cub_128x128.py',
]
model = dict(head=dict(num_keypoints=4), train_cfg=dict(num_selected=4))
images = dict(num_keypoints=4, pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
test_dataloader = dict(batch_size=1, dataset=images)
val_evaluator = dict(variant='stable_keypoints')
test_evaluator = val_evaluator
# 10,000 steps of 4 images, the most that was published for other than faces and people.
train_cfg = dict(max_iters=40000, val_interval=40000)
default_hooks = dict(checkpoint=dict(interval=4000))
