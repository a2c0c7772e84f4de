# The published setting on aligned faces, for a GPU, K=10. Made by
# tools/dataset_converters/faces68_to_coco.py --align similarity --size 146.
_base_ = [
    '../_base_/fse_128x128.py',
    '../../../_base_/datasets/labelled_146x146.py',
]
model = dict(head=dict(num_keypoints=10))
root = 'work_dirs/datasets/faces_aligned'
train_dataloader = dict(dataset=dict(data_root=root, data_prefix=dict(img='train')))
val_dataloader = dict(
    dataset=dict(
        fit=dict(
            data_root=root,
            ann_file='annotations/train_5.json',
            data_prefix=dict(img='train'),
        ),
        score=dict(
            data_root=root,
            ann_file='annotations/test_5.json',
            data_prefix=dict(img='test'),
        ),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='mafl')
test_evaluator = val_evaluator
