# CelebA in the wild, whole photographs, scored on MAFL's. Made by
# tools/dataset_converters/celeba_to_coco.py --variant wild (faces of at least 30 %).
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/celeba_wild'
images = dict(img='data/celeba/img_celeba')
train_dataloader = dict(dataset=dict(files=f'{root}/train.txt', data_prefix=images))
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file=f'{root}/mafl_train.json', data_prefix=images),
        score=dict(ann_file=f'{root}/mafl_test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='celeba')
test_evaluator = val_evaluator
