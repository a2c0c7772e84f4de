# Unbiased data processing (Huang et al., CVPR 2020) under the same network and head:
# the corner pixels of crops and maps are aligned at their centres.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_256x256.py']
codec = dict(type='UDPHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma=2)
changes = dict(TopdownAffine=dict(use_udp=True), GenerateTarget=dict(encoder=codec))
train_pipeline = [
    {**step, **changes.get(step['type'], {})} for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, **changes.get(step['type'], {})} for step in _base_.test_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=17),
    head=dict(num_stacks=2, num_keypoints=17, decoder=codec),
)
