# The published setting on aligned faces, crops of 80 pixels. Made by
# tools/dataset_converters/faces68_to_coco.py --align similarity.
_base_ = [
    '../_base_/lmdis_80x80.py',
    '../../../_base_/datasets/faces_64x64.py',
]
aligned = dict(data_root='work_dirs/datasets/faces_aligned')
images = dict(pipeline=_base_.central_crop)
train_dataloader = dict(dataset=dict(**aligned, **images))
val_dataloader = dict(dataset=dict(fit=aligned, score=aligned, **images))
test_dataloader = val_dataloader
val_evaluator = dict(variant='lmdis')
test_evaluator = val_evaluator
