# Human3.6M simplified with background, K=16. Made by
# tools/dataset_converters/human36m_simplified_to_coco.py.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=16), generator=dict(num_keypoints=16, thickness=1e-3)
)
images = dict(img='data/human36m')

train_dataloader = dict(
    dataset=dict(
        num_keypoints=16,
        bbox_file='work_dirs/datasets/human36m/train.json',
        data_prefix=images,
    )
)
val_dataloader = dict(
    dataset=dict(
        num_keypoints=16,
        fit=dict(ann_file='work_dirs/datasets/human36m/train.json', data_prefix=images),
        score=dict(
            ann_file='work_dirs/datasets/human36m/test.json', data_prefix=images
        ),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='human36m')
test_evaluator = val_evaluator
