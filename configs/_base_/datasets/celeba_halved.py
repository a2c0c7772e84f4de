# CelebA aligned at half of its size, its first 10,000 images, 863 of them with MAFL's
# points: 700 to fit the regressor on, 163 to score it. Measured in pixels of the 89x109
# image.
_base_ = ['./faces.py']
images = dict(data_root='data/celeba', data_prefix=dict(img='images'))
train_dataloader = dict(dataset=dict(files='train_unlabelled.txt', **images))
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file='celeba_fit.json', **images),
        score=dict(ann_file='celeba_test.json', **images),
    )
)
test_dataloader = val_dataloader
