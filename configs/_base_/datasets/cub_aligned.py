# Birds that look the same way, their crops as images. AutoLink's .h5 of them is not
# read: write pictures and a table of points from it, and run
# tools/dataset_converters/landmark_csv_to_coco.py.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/cub_aligned'
images = dict(img='data/cub_aligned')
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
