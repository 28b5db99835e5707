"""What finetuning on compressed images brings back of a drop: trainings, their control, and the study over them."""
