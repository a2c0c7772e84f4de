# Full-body DeepFashion, K=16.
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/deepfashion_128x128.py',
]
model = dict(head=dict(num_keypoints=16), train_cfg=dict(num_selected=16))
images = dict(num_keypoints=16, pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
test_dataloader = dict(batch_size=1, dataset=images)
val_evaluator = dict(variant='stable_keypoints')
test_evaluator = val_evaluator
