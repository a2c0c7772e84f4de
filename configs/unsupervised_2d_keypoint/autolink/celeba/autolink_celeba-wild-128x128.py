# CelebA in the wild, K=8 as in the paper; K=16 has thickness 1e-3, K=32 7.5e-4. Made by
# tools/dataset_converters/celeba_to_coco.py --variant wild (faces of at least 30 %).
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=8), generator=dict(num_keypoints=8, thickness=2.5e-3)
)
images = dict(img='data/celeba/img_celeba')

train_dataloader = dict(
    dataset=dict(
        num_keypoints=8,
        files='work_dirs/datasets/celeba_wild/train.txt',
        data_prefix=images,
    )
)
val_dataloader = dict(
    dataset=dict(
        num_keypoints=8,
        fit=dict(
            ann_file='work_dirs/datasets/celeba_wild/mafl_train.json',
            data_prefix=images,
        ),
        score=dict(
            ann_file='work_dirs/datasets/celeba_wild/mafl_test.json', data_prefix=images
        ),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='celeba')
test_evaluator = val_evaluator
