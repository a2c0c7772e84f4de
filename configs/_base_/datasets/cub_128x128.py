# Birds in their square boxes, without flips. Made by
# tools/dataset_converters/cub_to_coco.py.
_base_ = ['./labelled_128x128.py']
images = dict(img='data/cub/images')
root = 'work_dirs/datasets/cub'
train_dataloader = dict(
    dataset=dict(
        bbox_file=f'{root}/train.json',
        data_prefix=images,
        pipeline=_base_.test_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file=f'{root}/train.json', data_prefix=images),
        score=dict(ann_file=f'{root}/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='cub')
test_evaluator = val_evaluator
