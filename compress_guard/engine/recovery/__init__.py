"""A guard's model, its data and training images come in; the share of a drop that finetuning brings back goes out.

Open `study` first: the recovery cells of one guard. `material` codes images once for all models, `trainings` finetunes
on them by a `trainer` (built in: `recipes` and `losses`) and keeps `weights`, `evaluation` scores the models,
`comparison` finds the share that they bring back.

`training_set` chooses images, `targets` and `batches` are their form for a trainer, `pool` keeps decoded images in a
file, `draft` begins a result.
"""
