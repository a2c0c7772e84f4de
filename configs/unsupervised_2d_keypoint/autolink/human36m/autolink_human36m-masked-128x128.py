# The same without background (--remove-background). The authors saw it diverge on
# newer GPUs: stop early, or hide more of the image (generator.mask_ratio).
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=16), generator=dict(num_keypoints=16, thickness=1e-3)
)
images = dict(img='work_dirs/datasets/human36m_masked/images')
# without flips
train_dataloader = dict(
    dataset=dict(
        num_keypoints=16,
        data_root='work_dirs/datasets/human36m_masked/images',
        pipeline=_base_.test_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        num_keypoints=16,
        fit=dict(
            ann_file='work_dirs/datasets/human36m_masked/train.json', data_prefix=images
        ),
        score=dict(
            ann_file='work_dirs/datasets/human36m_masked/test.json', data_prefix=images
        ),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='human36m')
test_evaluator = val_evaluator
