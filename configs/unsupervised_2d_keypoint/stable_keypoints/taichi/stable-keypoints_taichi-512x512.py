# Taichi, K=10. Errors are sums of distances (L2); those of AutoLink are of coordinates.
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/taichi_128x128.py',
]
images = dict(pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
test_dataloader = dict(batch_size=1, dataset=images)
val_evaluator = dict(variant='stable_keypoints')
test_evaluator = val_evaluator
