"""Pictures of the images that cost a cell most, for people: made only when a report or a folder asks for them.

A judged cell comes in; small pictures of source, coded image and difference go out, with the predictions drawn.
Open `worst` first: it codes and predicts the images again. `drawing` draws them, `kept` writes and reads their files.
"""
