# People in extreme poses from 1,500 crops, on one CPU core.
num_keypoints = 14
_base_ = ['../_base_/narrow_w96_128x128.py', '../../../_base_/datasets/lspet.py']
loss = dict(loss_weight=num_keypoints * 32 * 32)
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, loss=loss, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
