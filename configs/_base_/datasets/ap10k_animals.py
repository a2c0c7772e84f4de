# All animals of AP-10K, whose skeleton is derived from its metainfo. Animals are scored
# without regard to their species.
_base_ = ['./bottomup.py']
skeleton = 'AP10KDataset'
dataset_type = 'AP10KDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/ap10k',
        ann_file='annotations/ap10k-train-split1.json',
        data_prefix=dict(img='data/'),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/ap10k',
        ann_file='annotations/ap10k-val-split1.json',
        data_prefix=dict(img='data/'),
    ),
)
test_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/ap10k',
        ann_file='annotations/ap10k-test-split1.json',
        data_prefix=dict(img='data/'),
    ),
)
val_evaluator = dict(
    type='BottomupCocoMetric',
    score_mode='bbox',
    nms_mode='none',
    class_agnostic=True,
    prefix='ap10k',
)
test_evaluator = val_evaluator
