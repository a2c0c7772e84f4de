# Several animals an image, of the skeleton that own_skeleton.py says: limbs are derived
# from its links.
_base_ = [
    '../_base_/res18_w32.py',
    '../_base_/people_256x256.py',
    '../../../_base_/datasets/own_pictures.py',
]
codec = dict(_base_.codec, skeleton=_base_.metainfo)
model = dict(head=dict(decoder=codec))
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
