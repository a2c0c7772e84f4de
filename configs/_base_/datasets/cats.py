# Cat heads (CAT, Zhang et al., ECCV 2008) with 9 points: eyes, mouth, and three of each
# ear, whose tips are left out as in LMDIS. Made by
# tools/dataset_converters/cat_heads_to_coco.py; its boxes are squares around the heads.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/cats'
images = dict(img='data/cats')
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
val_evaluator = dict(
    protocol='mafl',
    keypoint_groups=[0, 1, 2, 3, 5, 6, 8],
    protocol_options=dict(num_annotated=7, unit='% of eye distance'),
    prefix='cats',
)
test_evaluator = val_evaluator
