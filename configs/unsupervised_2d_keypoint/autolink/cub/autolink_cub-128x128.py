# Birds in their square boxes, K=4. Made by tools/dataset_converters/cub_to_coco.py.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=4), generator=dict(num_keypoints=4, thickness=5e-2)
)
images = dict(img='data/cub/images')
# without flips
train_dataloader = dict(
    dataset=dict(
        num_keypoints=4,
        bbox_file='work_dirs/datasets/cub/train.json',
        data_prefix=images,
        pipeline=_base_.test_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        num_keypoints=4,
        fit=dict(ann_file='work_dirs/datasets/cub/train.json', data_prefix=images),
        score=dict(ann_file='work_dirs/datasets/cub/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='cub')
test_evaluator = val_evaluator
