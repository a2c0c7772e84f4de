# Birds in their square boxes. Made by tools/dataset_converters/cub_to_coco.py.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/cub'
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
