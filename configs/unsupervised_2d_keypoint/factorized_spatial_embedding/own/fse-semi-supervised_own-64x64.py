# Keypoints of your own, labeled in a few images, that move with all images of a folder.
_base_ = [
    '../_base_/fse_semi_supervised_64x64.py',
    '../../../_base_/datasets/own_semi_labeled.py',
]
model = dict(head=dict(num_keypoints=len(_base_.keypoints)))
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.labeled_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.pipeline))
