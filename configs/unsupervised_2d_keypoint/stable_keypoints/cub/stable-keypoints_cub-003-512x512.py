# One class of birds. Made by
# tools/dataset_converters/cub_to_coco.py --classes 3 --out work_dirs/datasets/cub_003.
_base_ = ['./stable-keypoints_cub-512x512.py']
root = 'work_dirs/datasets/cub_003'
train_dataloader = dict(dataset=dict(bbox_file=f'{root}/train.json'))
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file=f'{root}/train.json'),
        score=dict(ann_file=f'{root}/test.json'),
    )
)
test_dataloader = val_dataloader
