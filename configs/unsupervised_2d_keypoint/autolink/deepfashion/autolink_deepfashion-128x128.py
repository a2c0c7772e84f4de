# Full-body DeepFashion, K=16. Annotations made by
# tools/dataset_converters/landmark_csv_to_coco.py.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=16), generator=dict(num_keypoints=16, thickness=1e-3)
)
images = dict(img='data/deepfashion')
# without flips
train_dataloader = dict(
    dataset=dict(
        num_keypoints=16,
        data_root='data/deepfashion/train',
        pipeline=_base_.test_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        num_keypoints=16,
        fit=dict(
            ann_file='work_dirs/datasets/deepfashion/train.json', data_prefix=images
        ),
        score=dict(
            ann_file='work_dirs/datasets/deepfashion/test.json', data_prefix=images
        ),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='deepfashion')
test_evaluator = val_evaluator
