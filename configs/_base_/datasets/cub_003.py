# One class of birds. Made by
# tools/dataset_converters/cub_to_coco.py --classes 3 --out work_dirs/datasets/cub_003.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/cub_003'
images = dict(img='data/cub/images')
train_dataloader = dict(
    dataset=dict(bbox_file=f'{root}/train.json', data_prefix=images)
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
