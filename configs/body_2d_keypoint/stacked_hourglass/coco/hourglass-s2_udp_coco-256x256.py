# Unbiased data processing (Huang et al., CVPR 2020) under the same network and head:
# the corner pixels of crops and maps are aligned at their centres.
num_keypoints = 17
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_boxes.py']
codec = dict(_base_.codec, type='UDPHeatmap', sigma=2)
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=num_keypoints),
    head=dict(num_stacks=2, num_keypoints=num_keypoints, decoder=codec),
)
changes = dict(TopdownAffine=dict(use_udp=True), GenerateTarget=dict(encoder=codec))
train = [dict(s, **changes.get(s['type'], {})) for s in _base_.train_pipeline]
test = [dict(s, **changes.get(s['type'], {})) for s in _base_.test_pipeline]
train_dataloader = dict(batch_size=_base_.batch_size, dataset=dict(pipeline=train))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=test))
