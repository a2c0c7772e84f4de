# CelebA aligned, scored on MAFL, K=10: the published setting.
_base_ = [
    '../_base_/lmdis_80x80.py',
    '../../../_base_/datasets/celeba_aligned_146x146.py',
]
images = dict(pipeline=_base_.central_crop)
train_dataloader = dict(batch_size=16, dataset=images)
val_dataloader = dict(dataset=images)
test_dataloader = val_dataloader
val_evaluator = dict(variant='lmdis')
test_evaluator = val_evaluator
