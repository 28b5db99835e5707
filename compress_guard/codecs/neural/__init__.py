"""The bundled learned codec: a block transform and what predicts its coefficients, exact on every machine."""
