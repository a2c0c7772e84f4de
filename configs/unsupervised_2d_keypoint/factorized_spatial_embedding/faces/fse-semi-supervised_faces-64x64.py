# 5 points of faces, learned from 20 labeled crops and 3,667 without labels.
num_keypoints = 5
_base_ = [
    '../_base_/fse_semi_supervised_64x64.py',
    '../../../_base_/datasets/faces_20_labeled.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
train = dict(pipeline=_base_.labeled_pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=train)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.pipeline))
