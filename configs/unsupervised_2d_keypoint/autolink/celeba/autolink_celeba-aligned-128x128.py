# CelebA aligned, scored on MAFL, K=10. Made by
# tools/dataset_converters/celeba_to_coco.py --variant aligned.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=10), generator=dict(num_keypoints=10, thickness=2.5e-3)
)
images = dict(img='data/celeba/img_align_celeba')

train_dataloader = dict(
    dataset=dict(
        num_keypoints=10,
        files='work_dirs/datasets/celeba_aligned/train.txt',
        data_prefix=images,
    )
)
val_dataloader = dict(
    dataset=dict(
        num_keypoints=10,
        fit=dict(
            ann_file='work_dirs/datasets/celeba_aligned/mafl_train.json',
            data_prefix=images,
        ),
        score=dict(
            ann_file='work_dirs/datasets/celeba_aligned/mafl_test.json',
            data_prefix=images,
        ),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='mafl')
test_evaluator = val_evaluator
