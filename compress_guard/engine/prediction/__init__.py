"""A model and batches come in; evidence of each image goes out.

Open `subject` first: a model on a data set. `batches` and `shards` carry images to the model, `earlier_evidence`
keeps what later runs may use, `lossless_control`, `mixed_batches` and `steadiness` find a model that cannot be
measured.

`clean` makes the evidence that cells compare with. `source_frame` brings predictions back from pictures that were
scaled or cropped. `asked_model` calls the model and counts, `shared_clean` shares clean evidence between processes,
`decoder_swap` predicts from another decoder's images, `knowledge_check` makes an error of a model that knows nothing,
`versions` lets the next run see what has moved.
"""
